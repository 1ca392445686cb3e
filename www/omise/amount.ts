import type { Locale } from "../locale.js";
import type { OmiseCardConfig } from "./config.js";

/** The amount as a person reads it, or nothing where there is none to show. */
export function amount({ amount, currency, hideAmount }: OmiseCardConfig, locale: Locale): string | undefined {
  const units = Math.round(Number(amount));
  if (!units || !Number.isFinite(units) || !currency || String(hideAmount) === "true") return undefined;
  try {
    const format = new Intl.NumberFormat(locale, { style: "currency", currency });
    // How many of the smallest unit are one: 100 satang, 1 yen.
    const digits = format.resolvedOptions().maximumFractionDigits ?? 0;
    return format.format(units / 10 ** digits);
  } catch {
    console.warn(`OmiseCard: "${currency}" is no currency (ISO 4217), so the amount is not shown`);
    return undefined;
  }
}
