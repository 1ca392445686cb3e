/** How the pop-up and what stands beside the form in the page look. Colours are those of src/form/style.css. */
const TEXT = `
:host {
  all: initial !important;
  display: block !important;
  color-scheme: inherit !important;
  --text: #1a2230;
  --muted: #5c6675;
  --surface: #ffffff;
  --line: #e2e6ed;
  --accent: #2557d6;
  --accent-over: #1d47b4;
  --on-accent: #ffffff;
  --error: #b3261e;
}
@supports (color: light-dark(#000, #fff)) {
  :host {
    --text: light-dark(#1a2230, #eef1f6);
    --muted: light-dark(#5c6675, #a3adbd);
    --surface: light-dark(#ffffff, #1f2531);
    --line: light-dark(#e2e6ed, #363e4e);
    --accent: light-dark(#2557d6, #8fb0ff);
    --accent-over: light-dark(#1d47b4, #adc5ff);
    --on-accent: light-dark(#ffffff, #0f1626);
    --error: light-dark(#b3261e, #ffb4ab);
  }
}
.popup, .remember {
  color: var(--text);
  font: 400 16px/1.45 system-ui, "Hiragino Sans", "Noto Sans JP", "Noto Sans Thai", sans-serif;
  overflow-wrap: anywhere;
}
.popup {
  box-sizing: border-box;
  width: 416px;
  max-width: calc(100vw - 24px);
  max-height: calc(100vh - 24px);
  max-height: calc(100dvh - 24px);
  margin: auto;
  padding: 0;
  border: 0;
  border-radius: 16px;
  outline: 0;
  overflow: auto;
  overscroll-behavior: contain;
  background: var(--surface);
  box-shadow: 0 24px 64px rgb(10 14 22 / 32%), 0 2px 8px rgb(10 14 22 / 16%);
  animation: rise 0.18s ease-out;
}
.popup::backdrop {
  background: rgb(10 14 22 / 56%);
  animation: fade 0.18s ease-out;
}
.sheet {
  padding: 24px;
}
.header {
  display: flex;
  align-items: center;
  gap: 12px;
  margin-bottom: 20px;
  padding-bottom: 20px;
  border-bottom: 1px solid var(--line);
}
.image {
  flex: none;
  width: 44px;
  height: 44px;
  border-radius: 10px;
  object-fit: contain;
}
.words {
  flex: 1;
  min-width: 0;
}
.label {
  margin: 0;
  font-size: 18px;
  font-weight: 600;
  line-height: 1.3;
}
.description {
  margin: 2px 0 0;
  color: var(--muted);
  font-size: 14px;
}
button {
  border: 0;
  color: inherit;
  font: inherit;
  cursor: pointer;
  -webkit-tap-highlight-color: transparent;
}
button:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 2px;
}
.close {
  position: relative;
  flex: none;
  align-self: flex-start;
  width: 44px;
  height: 44px;
  margin: -10px -12px -10px 0;
  border-radius: 50%;
  background: transparent;
  color: var(--muted);
}
.close:focus-visible {
  outline-offset: -4px;
}
.close::before, .close::after {
  content: "";
  position: absolute;
  inset: 21px 13px;
  border-radius: 1px;
  background: currentColor;
  rotate: 45deg;
}
.close::after {
  rotate: -45deg;
}
.close:hover {
  color: var(--text);
}
.problem {
  margin: 4px 0 12px;
  color: var(--error);
  font-size: 14px;
}
.problem:empty {
  margin: 0;
}
.pay {
  display: block;
  width: 100%;
  min-height: 50px;
  margin-top: 4px;
  padding: 12px 16px;
  border-radius: 10px;
  background: var(--accent);
  color: var(--on-accent);
  font-size: 17px;
  font-weight: 600;
  transition: background-color 0.12s;
}
.pay[hidden] {
  display: none;
}
.pay:hover {
  background: var(--accent-over);
}
.pay[aria-disabled="true"] {
  background: var(--accent);
  opacity: 0.55;
  cursor: default;
}
.popup[aria-busy="true"] .card {
  opacity: 0.55;
  pointer-events: none;
}
.remember {
  display: flex;
  align-items: center;
  gap: 8px;
  min-height: 24px;
  font-size: 15px;
  cursor: pointer;
}
.remember input {
  flex: none;
  width: 18px;
  height: 18px;
  margin: 0;
  accent-color: var(--accent);
}
@media (max-width: 480px) {
  .popup {
    margin-block-start: 12px;
  }
  .sheet {
    padding: 20px 16px 16px;
  }
  .header {
    margin-bottom: 16px;
    padding-bottom: 16px;
  }
}
@media (max-width: 340px) {
  .sheet {
    padding-inline: 12px;
  }
}
@media (forced-colors: active) {
  .popup, .pay {
    border: 1px solid;
  }
}
@media (prefers-reduced-motion: reduce) {
  .popup, .popup::backdrop, .pay {
    animation: none;
    transition: none;
  }
}
@keyframes rise {
  from {
    opacity: 0;
    translate: 0 8px;
  }
}
@keyframes fade {
  from {
    opacity: 0;
  }
}
`;

let made: CSSStyleSheet | undefined;

/** The style sheet. Constructed by script, it is none that a Content-Security-Policy forbids. */
export function sheet(): CSSStyleSheet {
  if (!made) {
    made = new CSSStyleSheet();
    made.replaceSync(TEXT);
  }
  return made;
}
