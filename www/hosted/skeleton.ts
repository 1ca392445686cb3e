import type { Appearance } from "../card.js";
import type { FieldName } from "../error.js";

/**
 * What holds a form's place until its frame is there: the same rows, as high as src/form/style.css makes them, so that
 * nothing moves when the form takes over.
 */
export function skeleton(fields: readonly FieldName[], { fontSize = 16, gap = 14, radius = 8 }: Appearance): HTMLElement {
  const rows = styled("div", {
    display: "grid",
    gridTemplateColumns: "repeat(2, minmax(0, 1fr))",
    gap: `2px ${gap}px`,
    fontSize: `${fontSize}px`,
    opacity: ".25",
  });
  for (const field of fields) {
    const box = styled("div", {
      gridColumn: field === "expiry" || field === "security_code" ? "span 1" : "1 / -1",
      boxSizing: "border-box",
      height: "2.875em",
      margin: "calc(1.225em + 4px) 0 calc(1.1375em + 10px)",
      border: "1px solid",
      borderRadius: `${radius}px`,
    });
    rows.append(box);
  }
  return rows;
}

/** An element with a style that no Content-Security-Policy forbids, as it is set by script, property by property. */
export function styled<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  style: Partial<CSSStyleDeclaration>,
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  Object.assign(element.style, style);
  return element;
}
