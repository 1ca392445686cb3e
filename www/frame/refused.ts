/** The script of the page that stands in the frame's place where there may be none: tells the loader why. */
import type { ErrorCode } from "../error.js";
import type { ToPage } from "./message.js";

addEventListener("message", ({ source, ports: [port] }) => {
  if (source !== parent || !port) return;
  const message: ToPage = {
    type: "failed",
    failure: {
      code: document.documentElement.dataset["code"] as ErrorCode,
      message: document.querySelector("p")?.textContent ?? "",
    },
  };
  port.postMessage(message);
});
