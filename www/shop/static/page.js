// Comforts of the checkout page. Paying works without them.

const form = document.querySelector("#checkout");
const pay = document.querySelector("#pay");

// On a phone the summary comes first and would push the form out of sight.
if (matchMedia("(width < 60rem)").matches) document.querySelector("#summary").open = false;

// Should the card fields fail to load, say so: their script stops before it enables the button.
const notLoaded = () => {
  const problem = document.querySelector("#payment-problem");
  if (pay.disabled && !problem.textContent && !form.dataset.sent) problem.textContent = problem.dataset.notLoaded;
};
addEventListener("error", notLoaded, true);
addEventListener("unhandledrejection", notLoaded);
form.addEventListener("submit", () => (form.dataset.sent = "true"));

// A page that the browser kept while it showed the receipt holds a token that is used up.
addEventListener("pageshow", (event) => event.persisted && location.reload());

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.copied;
  });
}
