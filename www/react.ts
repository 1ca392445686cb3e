/** The card form as a React component. */
import {
  createElement,
  forwardRef,
  useEffect,
  useImperativeHandle,
  useRef,
  type CSSProperties,
  type ForwardRefExoticComponent,
  type RefAttributes,
} from "react";
import type {
  Appearance,
  Cardseal,
  CardsealError,
  CardState,
  FieldName,
  Locale,
  TextOverrides,
  Token,
  TokenizeDetails,
} from "./cardseal.js";
import { MountedCard, notReady, type MountedOptions, type Tell } from "./mounted.js";

/** What {@link CardFields} is given. */
export interface CardFieldsProps {
  /**
   * What `loadCardseal()` returns, or what comes of it; null for as long as there is none. Later ones are not looked
   * at, so that a component may call `loadCardseal()` whenever it renders; with another `key`, React makes another form.
   */
  cardseal: Cardseal | Promise<Cardseal> | null;
  /** Which fields, in this order. With others, the form begins anew and is empty. */
  fields?: readonly FieldName[] | undefined;
  /** How the form looks. */
  appearance?: Appearance | undefined;
  /** What the form says, in words of the page's own. */
  texts?: TextOverrides | undefined;
  /** The form's language; that of `loadCardseal()`, if left out. */
  locale?: Locale | "auto" | undefined;
  /** Whether the fields refuse what is typed. */
  disabled?: boolean | undefined;
  /** Of the `<div>` around the form, like the next two. */
  id?: string | undefined;
  className?: string | undefined;
  style?: CSSProperties | undefined;
  /** The form can be typed into. */
  onReady?: (() => void) | undefined;
  /** What was entered has come to mean something else. */
  onChange?: ((state: CardState) => void) | undefined;
  /** A field got the focus. */
  onFocus?: ((where: { field: FieldName }) => void) | undefined;
  /** A field lost the focus. */
  onBlur?: ((where: { field: FieldName }) => void) | undefined;
  /** Enter was pressed in a field. Without it, the `<form>` around the component is asked to submit. */
  onSubmit?: (() => void) | undefined;
  /** Escape was pressed in a field. */
  onEscape?: (() => void) | undefined;
  /** The form could not be loaded, an option is not right, or `tokenize()` failed. */
  onError?: ((error: CardsealError) => void) | undefined;
}

/** What a `ref` on {@link CardFields} gives. */
export interface CardFieldsHandle {
  /** Exchanges the card for a token. Rejects with a CardsealError: besides those of `Card.tokenize()`, `not_ready`. */
  tokenize(details?: TokenizeDetails): Promise<Token>;
  /** Whether the card is complete; if it is not, every field that is not right says so and the first gets the focus. */
  reportValidity(): Promise<boolean>;
  /** Puts the caret into a field; into the number, if none is named. */
  focus(field?: FieldName): void;
  /** Empties every field. */
  clear(): void;
}

const LISTENERS = {
  ready: "onReady",
  change: "onChange",
  focus: "onFocus",
  blur: "onBlur",
  submit: "onSubmit",
  escape: "onEscape",
  error: "onError",
} as const;

/**
 * Card fields.
 *
 * ```jsx
 * const cardseal = loadCardseal({ publicKey: "pkey_test_…", vault: "https://vault.example" });
 *
 * function Checkout() {
 *   const card = useRef(null);
 *   const pay = async (event) => {
 *     event.preventDefault();
 *     const token = await card.current.tokenize();
 *   };
 *   return (
 *     <form onSubmit={pay}>
 *       <CardFields cardseal={cardseal} ref={card} />
 *       <button>Pay</button>
 *     </form>
 *   );
 * }
 * ```
 *
 * On a server it is an empty `<div>`.
 */
export const CardFields: ForwardRefExoticComponent<CardFieldsProps & RefAttributes<CardFieldsHandle>> = forwardRef<
  CardFieldsHandle,
  CardFieldsProps
>(function CardFields(props, ref) {
  const { cardseal, fields, id, className, style } = props;
  const place = useRef<HTMLDivElement | null>(null);
  const mounted = useRef<MountedCard | null>(null);

  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });

  const isGiven = Boolean(cardseal);
  const form = fields?.join();
  useEffect(() => {
    if (!latest.current.cardseal || !place.current) return;
    const tell: Tell = (name, detail) => {
      const listener = latest.current[LISTENERS[name]] as ((given: typeof detail) => void) | undefined;
      listener?.(detail);
      return Boolean(listener);
    };
    const card = new MountedCard(latest.current.cardseal, place.current, options(latest.current), tell);
    mounted.current = card;
    return () => {
      mounted.current = null;
      card.end();
    };
  }, [isGiven, form]);

  // Objects that are written out anew in every render are no change.
  const changes = JSON.stringify({ ...options(props), fields: undefined });
  const told = useRef(changes);
  useEffect(() => {
    if (told.current === changes) return;
    told.current = changes;
    mounted.current?.update(options(latest.current));
  }, [changes]);

  useImperativeHandle(
    ref,
    () => ({
      tokenize: async (details) => (mounted.current ?? notReady()).tokenize(details),
      reportValidity: async () => (mounted.current ?? notReady()).reportValidity(),
      focus: (field) => mounted.current?.focus(field),
      clear: () => mounted.current?.clear(),
    }),
    [],
  );

  return createElement("div", { ref: place, id, className, style });
});

function options({ fields, appearance, texts, locale, disabled }: CardFieldsProps): MountedOptions {
  return {
    ...(fields && { fields }),
    ...(appearance && { appearance }),
    ...(texts && { texts }),
    ...(locale && { locale }),
    ...(disabled && { disabled }),
  };
}
