import type { Appearance, FontFamily } from "../card.js";
import type { OmiseCardStyle } from "./config.js";

const FONTS = [
  "system",
  "sans-serif",
  "serif",
  "monospace",
  "rounded",
  "arial",
  "georgia",
  "helvetica",
  "hiragino-sans",
  "inter",
  "meiryo",
  "noto-sans",
  "noto-sans-jp",
  "noto-sans-thai",
  "roboto",
  "sarabun",
  "segoe-ui",
  "tahoma",
  "times-new-roman",
  "verdana",
  "yu-gothic",
] as const satisfies readonly FontFamily[];

/** The card form's appearance that comes closest to a style of Omise.js's. What has no counterpart is left out. */
export function appearance({ fontFamily, fontSize, input = {} }: OmiseCardStyle = {}): Appearance {
  const found = {
    colorText: color("color", input.color),
    colorBackground: color("background", input.background, "backgroundColor"),
    colorBorder: color("border", input.border, "borderTopColor"),
    colorAccent: color("border", input.focusBorder, "borderTopColor"),
    radius: pixels(input.borderRadius, 0, 32),
    fontSize: pixels(fontSize, 12, 32),
    fontFamily: font(fontFamily),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** The first typeface of a list that the form has. */
function font(list: string | undefined): FontFamily | undefined {
  const wanted = (list ?? "").toLowerCase().replace(/["']/g, "").split(",");
  for (const name of wanted) {
    const known = FONTS.find((font) => font === name.trim().replace(/\s+/g, "-"));
    if (known) return known;
  }
  return undefined;
}

/** A length in whole pixels, moved into its limits. */
function pixels(length: number | string | undefined, min: number, max: number): number | undefined {
  const [, digits] = /^\s*(\d+(?:\.\d+)?)(?:px)?\s*$/.exec(String(length ?? "")) ?? [];
  return digits === undefined ? undefined : Math.min(max, Math.max(min, Math.round(Number(digits))));
}

/**
 * The colour in a value, as the form takes it: `#rrggbb` or `#rrggbbaa`.
 * @param property what the value is set as
 * @param part the property of the colour in it
 */
function color(
  property: "color" | "background" | "border",
  value: string | undefined,
  part: "color" | "backgroundColor" | "borderTopColor" = "color",
): string | undefined {
  const { style } = document.createElement("i");
  style[property] = value ?? "";
  // A canvas writes every colour that CSS knows in one of two ways: `#rrggbb`, or `rgba(r, g, b, a)`.
  const canvas = document.createElement("canvas").getContext("2d");
  if (!style[part] || !canvas) return undefined;
  canvas.fillStyle = style[part];
  if (typeof canvas.fillStyle !== "string") return undefined;
  const [red, green, blue, alpha] = canvas.fillStyle.match(/[\d.]+/g)?.map(Number) ?? [];
  if (canvas.fillStyle.startsWith("#") || alpha === undefined) return canvas.fillStyle;
  return `#${[red, green, blue, alpha * 255].map((part) => Math.round(part ?? 0).toString(16).padStart(2, "0")).join("")}`;
}
