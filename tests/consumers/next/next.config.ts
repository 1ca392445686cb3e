import type { NextConfig } from "next";

const config: NextConfig = {
  // Files, for any web server.
  output: "export",
  // The project lies inside another one, whose lock file Next.js would take for its own.
  turbopack: { root: __dirname },
};

export default config;
