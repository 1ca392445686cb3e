//! A merchant's project, with the package installed as npm installs it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cardseal_e2e::Stage;

use crate::root;

/// What examples need besides the package; the workspace has it.
const FRAMEWORKS: [&str; 4] = ["react", "react-dom", "vue", "@types/react"];

/// What a strict project sets.
const TSCONFIG: &str = r#"{
  "compilerOptions": {
    "target": "es2022",
    "lib": ["es2022", "dom", "dom.iterable"],
    "types": [],
    "module": "esnext",
    "moduleResolution": "bundler",
    "moduleDetection": "force",
    "jsx": "react-jsx",
    "strict": true,
    "exactOptionalPropertyTypes": true,
    "noUncheckedIndexedAccess": true,
    "noImplicitReturns": true,
    "noEmit": true
  },
  "include": ["src/**/*.ts", "src/**/*.tsx"]
}"#;

/// A folder with a package.json.
pub(crate) struct Project {
    folder: PathBuf,
    package: PathBuf,
}

impl Project {
    /// Makes it, and packs the package for it.
    pub(crate) fn create(stage: &Stage) -> Result<Self> {
        let folder = stage.folder().join("project");
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("package.json"), r#"{ "name": "shop", "private": true, "type": "module" }"#)?;
        fs::write(folder.join("tsconfig.json"), TSCONFIG)?;
        let mut pack = Command::new("npm");
        pack.args(["pack", "--silent", "--pack-destination"]).arg(&folder).current_dir(root());
        let name = succeeds(&mut pack)?;
        Ok(Self { package: folder.join(name.trim()), folder })
    }

    /// Makes it, and installs the package as the documentation says.
    pub(crate) fn install(stage: &Stage, command: &str) -> Result<Self> {
        let project = Self::create(stage)?;
        // From the packed file: what is published is another version.
        let package = project.package.to_str().context("paths are text")?;
        let command = command.replace("install cardseal", &format!("install {package}"));
        ensure!(command.contains(package), "`{command}` installs something else");
        project.shell(&command)?;
        let modules = project.folder.join("node_modules");
        fs::create_dir_all(modules.join("@types"))?;
        for name in FRAMEWORKS {
            symlink(root().join("node_modules").join(name), modules.join(name))?;
        }
        Ok(project)
    }

    /// Runs commands in its folder, and returns what they print.
    pub(crate) fn shell(&self, commands: &str) -> Result<String> {
        let mut shell = Command::new("sh");
        shell.args(["-euc", commands]).current_dir(&self.folder);
        for (name, value) in [("offline", "true"), ("audit", "false"), ("fund", "false")] {
            shell.env(format!("npm_config_{name}"), value);
        }
        succeeds(&mut shell)
    }

    /// Writes a source file.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let file = self.folder.join("src").join(name);
        fs::write(&file, text)?;
        Ok(file)
    }

    /// Writes the script of a Vue component, for the compiler.
    pub(crate) fn extract_script(&self, file: &Path) -> Result<()> {
        succeeds(node().arg("--script").arg(file)).map(drop)
    }

    /// Makes a browser's script of a source file.
    pub(crate) fn bundle(&self, file: &Path) -> Result<String> {
        succeeds(node().arg(file))?;
        Ok(fs::read_to_string(format!("{}.out.js", file.display()))?)
    }

    /// Holds all source files to TypeScript's strictest.
    pub(crate) fn compiles(&self) -> Result<()> {
        let tsc = root().join("node_modules/.bin/tsc");
        succeeds(Command::new(tsc).arg("--project").arg(&self.folder)).map(drop)
    }
}

fn node() -> Command {
    let mut node = Command::new("node");
    node.arg(root().join("tests/e2e/tests/docs/bundle.mjs"));
    node
}

/// What a program prints, if it ends well.
pub(crate) fn succeeds(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    let (printed, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{command:?} failed:\n{printed}\n{complaint}");
    Ok(printed.into_owned())
}
