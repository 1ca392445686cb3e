/** What the page says where a form could not be loaded. The form's own texts lie with the form. */
const WORDS: Record<string, string> = {
  en: "The card form could not be loaded. Please reload the page.",
  ja: "カード入力欄を読み込めませんでした。再読み込みしてください。",
  th: "โหลดแบบฟอร์มบัตรไม่สำเร็จ โปรดโหลดหน้าใหม่",
};

/** The words in a language, or in that of the browser. */
export function notLoaded(locale: string): string {
  return WORDS[locale] ?? WORDS[navigator.language.slice(0, 2)] ?? WORDS["en"]!;
}
