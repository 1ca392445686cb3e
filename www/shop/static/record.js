// Searches the record in the page. What is typed here stays here: the input has no name and stands in no form.
import { hiding } from "./search.mjs";

const input = document.querySelector("#record-search");
const result = document.querySelector("#search-result");
const requests = [...document.querySelectorAll(".request")];
document.querySelector("#search").hidden = false;

input.addEventListener("input", () => {
  const wanted = hiding(input.value);
  let found = 0;
  for (const request of requests) {
    const match = wanted?.test(request.querySelector("pre").textContent) ?? false;
    request.toggleAttribute("data-match", match);
    request.hidden = wanted !== undefined && !match;
    if (match) found += 1;
  }
  const text = found > 0 ? result.dataset.some : result.dataset.none;
  result.textContent = wanted ? text.replace("{found}", found).replace("{count}", requests.length) : "";
  result.dataset.found = wanted ? found : "";
});
