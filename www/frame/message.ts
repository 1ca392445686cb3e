/**
 * What the page and the frame say to each other, over one MessagePort. Two closed lists; nothing that leaves the frame has
 * a digit of a number in it, but for the last four that are part of a token.
 */
import type { Appearance, CardEvents, Profile, TextOverrides, Token, TokenizeDetails } from "../card.js";
import type { Failure, FieldName } from "../error.js";
import type { Locale } from "../locale.js";

/** Comes with the port, as a message to the frame's window; the number is the protocol's version. */
export const HANDOVER = { cardseal: 1 } as const;

/** From the page to the frame. What has an `id` is answered by `done` or `failed` with the same one. */
export type ToFrame =
  | {
      type: "start";
      profile: Profile;
      fields: readonly FieldName[];
      appearance: Appearance;
      texts: TextOverrides;
      /** `auto`: the one that the vault chose for the frame by the browser's languages. */
      locale: Locale | "auto";
      /** The page's `color-scheme`, where the form stands. */
      colorScheme: string | undefined;
      disabled: boolean;
    }
  | {
      type: "update";
      id: number;
      appearance?: Appearance;
      texts?: TextOverrides;
      locale?: Locale | "auto";
      disabled?: boolean;
      colorScheme?: string | undefined;
    }
  | { type: "focus"; field: FieldName }
  | { type: "clear" }
  | { type: "validate"; id: number }
  | { type: "tokenize"; id: number; details?: TokenizeDetails };

/** From the frame to the page. */
export type ToPage =
  /** The port has arrived. */
  | { type: "hello" }
  /** The form can be typed into. The title is the frame's, for screen readers. */
  | { type: "ready"; title: string }
  /** The form's height, in CSS pixels. */
  | { type: "height"; pixels: number }
  /** The card needs the person: the form has put the caret into the field, and the focus belongs there. */
  | { type: "led" }
  | Told
  /** Nothing for `update`, whether the card is complete for `validate`, a token for `tokenize`. */
  | { type: "done"; id: number; value?: boolean | Token }
  /** Without an id: there is no form. */
  | { type: "failed"; id?: number; failure: Failure };

/** An event of the form, for those who listen to it. */
export type Told = { [Name in ToldName]: { type: "told"; name: Name; detail: CardEvents[Name] } }[ToldName];
export type ToldName = "change" | "focus" | "blur" | "submit" | "escape";

/** The members that each message to the frame may have, besides its type. */
const MEMBERS: { [Type in ToFrame["type"]]: readonly string[] } = {
  start: ["profile", "fields", "appearance", "texts", "locale", "colorScheme", "disabled"],
  update: ["id", "appearance", "texts", "locale", "disabled", "colorScheme"],
  focus: ["field"],
  clear: [],
  validate: ["id"],
  tokenize: ["id", "details"],
};

/**
 * The message that came to the frame, or nothing where it is none. What is inside `profile`, `fields`, `appearance`, `texts` and
 * `details` is for the form to judge, which takes nothing that it does not know.
 */
export function parse(data: unknown): ToFrame | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { type, ...rest } = data as { type?: unknown };
  if (typeof type !== "string" || !Object.hasOwn(MEMBERS, type)) return undefined;
  const members = MEMBERS[type as ToFrame["type"]];
  if (!Object.keys(rest).every((name) => members.includes(name))) return undefined;
  if (members.includes("id") && !Number.isSafeInteger((rest as { id?: unknown }).id)) return undefined;
  return data as ToFrame;
}
