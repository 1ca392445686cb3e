import type { Locale } from "../locale.js";

/** What the page itself says of a form that stands in a frame. */
export const WORDS: Record<Locale, { title: string; failed: string }> = {
  en: {
    title: "Card details",
    failed: "The card form could not be loaded. Please check your connection and load the page again.",
  },
  ja: {
    title: "カード情報",
    failed: "カード入力欄を読み込めませんでした。通信状況を確認し、ページを再読み込みしてください。",
  },
  th: {
    title: "ข้อมูลบัตร",
    failed: "โหลดแบบฟอร์มบัตรไม่สำเร็จ โปรดตรวจสอบการเชื่อมต่อแล้วโหลดหน้านี้อีกครั้ง",
  },
};
