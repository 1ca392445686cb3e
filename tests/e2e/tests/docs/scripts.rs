//! The examples that go through a bundler: modules, parts of them, React, Vue.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use cardseal_e2e::{Stage, visit};

use crate::pay::Way;
use crate::project::Project;
use crate::shop::{Example, Shop};
use crate::snippets::{Kind, Snippet};
use crate::values::Values;

/// An example that has become a source file.
pub(crate) struct Source {
    /// The example.
    snippet: Snippet,
    file: PathBuf,
    /// The page that it is the script of.
    page: String,
}

/// The project with every example in it.
pub(crate) fn project(stage: &Stage, values: &Values) -> Result<(Project, Vec<Source>)> {
    let snippets = Snippet::all()?;
    let install =
        snippets.iter().find(|snippet| snippet.kind == Kind::Npm).context("npm.md says how to install")?;
    let project = Project::install(stage, &install.text)?;
    let mut sources = Vec::new();
    let mut markup = String::new();
    for snippet in snippets {
        let text = values.fill(&snippet.text)?;
        let name = snippet.file();
        let (file, page) = match snippet.kind {
            Kind::Markup => {
                markup = text;
                continue;
            }
            Kind::Module => (project.write(&format!("{name}.ts"), &text)?, markup.clone()),
            Kind::Part => (
                project.write(&format!("{name}.ts"), &whole(&text, values)?)?,
                "<div id=\"card\"></div>".into(),
            ),
            Kind::React => {
                project.write(&format!("{name}.tsx"), &text)?;
                (project.write(&format!("{name}.entry.js"), &react(&name))?, "<div id=\"root\"></div>".into())
            }
            Kind::Vue => {
                project.extract_script(&project.write(&format!("{name}.vue"), &text)?)?;
                (project.write(&format!("{name}.entry.js"), &vue(&name))?, "<div id=\"root\"></div>".into())
            }
            _ => continue,
        };
        sources.push(Source { snippet, file, page });
    }
    Ok((project, sources))
}

impl Source {
    /// Which page it is an example of.
    pub(crate) fn is_of(&self, page: &str) -> bool {
        self.snippet.page == page && self.snippet.kind != Kind::Part
    }

    /// It, in a page.
    pub(crate) fn example(&self, project: &Project) -> Result<Example> {
        Ok(Example::with_module(&self.page, project.bundle(&self.file)?))
    }
}

/// A module around a part: its imports stay at the top, and what has to be there is there: a whole card, where a token is
/// made of it. The page's title tells how it went; an error is none that the part may catch and pass over.
fn whole(part: &str, values: &Values) -> Result<String> {
    let (imports, body): (Vec<_>, Vec<_>) = part.lines().partition(|line| line.starts_with("import "));
    values.fill(&format!(
        r##"import {{ CardsealError, loadCardseal }} from "cardseal";
{imports}
void CardsealError;
const cardseal = await loadCardseal({{ publicKey: "pkey_test_…", vault: "https://vault.example" }});
const card = cardseal.card();
const ready = new Promise<void>((resolve) => card.on("ready", () => resolve()));
void ready;
const complete = new Promise<void>((resolve) => card.on("change", (state) => state.complete && resolve()));
card.mount("#card");
await {wait};
const said: unknown[] = [];
console.log = (...words) => said.push(...words);
try {{
{body}
}} catch (error) {{
  said.push(error);
}}
const error = said.find((word) => word instanceof Error);
document.title = error ? `failed: ${{error}}` : "done";
"##,
        wait = if makes_token(part) { "complete" } else { "ready" },
        imports = imports.join("\n"),
        body = body.join("\n"),
    ))
}

fn makes_token(part: &str) -> bool {
    part.contains("tokenize(")
}

fn react(name: &str) -> String {
    format!(
        r##"import {{ createElement, StrictMode }} from "react";
import {{ createRoot }} from "react-dom/client";
import {{ Checkout }} from "./{name}.tsx";
createRoot(document.querySelector("#root")).render(createElement(StrictMode, null, createElement(Checkout)));
"##
    )
}

fn vue(name: &str) -> String {
    format!(
        r##"import {{ createApp }} from "vue";
import Checkout from "./{name}.vue";
createApp(Checkout).mount("#root");
"##
    )
}

#[tokio::test]
async fn every_script_compiles_strictly_and_sells() -> Result<()> {
    visit(async |stage, browser| {
        let values = Values::of(stage)?;
        let (project, sources) = project(stage, &values)?;
        project.compiles()?;
        let shop = Shop::open(stage)?;
        for source in &sources {
            let place = || source.snippet.place();
            let example = source.example(&project).with_context(place)?;
            if source.snippet.kind != Kind::Part {
                shop.sells(browser, example, Way::Frame, "card_token").await.with_context(place)?;
                continue;
            }
            shop.show(browser, example).await?;
            if makes_token(&source.snippet.text) {
                Way::Frame.type_card(browser).await.with_context(place)?;
            }
            let title = "return document.title === 'Shop' ? null : document.title";
            let title = browser.wait_for(title).await.with_context(place)?;
            ensure!(title == "done", "{}: {title}", place());
        }
        assert!(sources.len() > 10, "only {} scripts", sources.len());
        Ok(())
    })
    .await
}
