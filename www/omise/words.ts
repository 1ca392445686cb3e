import type { Locale } from "../locale.js";

/** What the pop-up says by itself. */
export interface Words {
  submit: string;
  busy: string;
  again: string;
  close: string;
  remember: string;
  /** The form says itself what is missing. */
  incomplete: string;
  refused: string;
  unreachable: string;
  /** Nothing that the cardholder does will help. */
  broken: string;
  loading: string;
}

export const WORDS: Record<Locale, Words> = {
  en: {
    submit: "Pay",
    busy: "One moment…",
    again: "Try again",
    close: "Close",
    remember: "Remember this card",
    incomplete: "Please check the card details.",
    refused: "This card was not accepted. Please check its details, or use another one.",
    unreachable: "The payment service did not answer. Please try again.",
    broken: "Paying by card does not work here for now. Please tell the shop.",
    loading: "The card form is still loading. Please wait a moment.",
  },
  ja: {
    submit: "支払う",
    busy: "処理しています…",
    again: "もう一度試す",
    close: "閉じる",
    remember: "このカードを保存する",
    incomplete: "カード情報をご確認ください。",
    refused: "このカードはご利用いただけませんでした。入力内容をご確認のうえ、別のカードもお試しください。",
    unreachable: "決済サービスから応答がありませんでした。もう一度お試しください。",
    broken: "ただいまカードでのお支払いができません。お手数ですがショップにご連絡ください。",
    loading: "カード入力欄を読み込んでいます。少々お待ちください。",
  },
  th: {
    submit: "ชำระเงิน",
    busy: "กรุณารอสักครู่…",
    again: "ลองอีกครั้ง",
    close: "ปิด",
    remember: "จดจำบัตรนี้",
    incomplete: "โปรดตรวจสอบข้อมูลบัตร",
    refused: "ไม่สามารถใช้บัตรนี้ได้ โปรดตรวจสอบข้อมูลบัตรหรือใช้บัตรใบอื่น",
    unreachable: "ระบบชำระเงินไม่ตอบสนอง โปรดลองอีกครั้ง",
    broken: "ขณะนี้ไม่สามารถชำระเงินด้วยบัตรได้ โปรดติดต่อร้านค้า",
    loading: "กำลังโหลดแบบฟอร์มบัตร โปรดรอสักครู่",
  },
};
