/** What the page says where a form could not be loaded. The form's own texts lie with the form. */
const WORDS: Record<string, string> = {
  en: "The card form could not be loaded. Please load the page again.",
  ja: "カード入力欄を読み込めませんでした。ページを再読み込みしてください。",
  th: "โหลดแบบฟอร์มบัตรไม่สำเร็จ โปรดโหลดหน้านี้อีกครั้ง",
};

/** The words in a language, or in that of the browser. */
export function notLoaded(locale: string): string {
  return WORDS[locale] ?? WORDS[navigator.language.slice(0, 2)] ?? WORDS["en"]!;
}
