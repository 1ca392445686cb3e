import type { Appearance } from "../card.js";
import type { FieldName } from "../error.js";

/**
 * What holds a form's place until its frame is there: the same rows, as high as src/form/style.css makes them, so that
 * nothing moves when the form takes over.
 */
export function skeleton(fields: readonly FieldName[], { fontSize = 16, gap = 14, radius = 8 }: Appearance): HTMLElement {
  const rows = styled("div", `display:grid;grid-template-columns:repeat(auto-fit,minmax(clamp(34%,8em,100%),1fr));gap:2px ${gap}px;font-size:${fontSize}px;opacity:.25`);
  const box = `height:2.875em;box-sizing:border-box;border:1px solid;border-radius:${radius}px;margin:calc(1.225em + 4px) 0 calc(1.1375em + 10px)`;
  for (const field of fields) rows.append(styled("div", /expiry|code/.test(field) ? box : `${box};grid-column:1/-1`));
  return rows;
}

/** An element with a style. A Content-Security-Policy forbids the attribute, not what a script sets. */
export function styled<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, style: string): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  element.style.cssText = style;
  return element;
}
