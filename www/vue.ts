/** The card form as a Vue component. */
import {
  defineComponent,
  getCurrentInstance,
  h,
  onBeforeUnmount,
  onMounted,
  shallowRef,
  toRaw,
  watch,
  type PropType,
} from "vue";
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

/**
 * Card fields.
 *
 * ```vue
 * <script setup>
 * const cardseal = loadCardseal({ publicKey: "pkey_test_…", vault: "https://vault.example" });
 * const card = useTemplateRef("card");
 * const pay = async () => {
 *   const token = await card.value.tokenize();
 * };
 * </script>
 *
 * <template>
 *   <form @submit.prevent="pay">
 *     <CardFields ref="card" :cardseal="cardseal" />
 *     <button>Pay</button>
 *   </form>
 * </template>
 * ```
 *
 * Where nobody listens to its `submit`, Enter in a field asks the `<form>` around it to submit. On a server it is an
 * empty `<div>`.
 */
export const CardFields = defineComponent({
  name: "CardFields",
  props: {
    /**
     * What `loadCardseal()` returns, or what comes of it; null for as long as there is none. Later ones are not looked
     * at; with another `key`, Vue makes another form.
     */
    cardseal: { type: Object as PropType<Cardseal | Promise<Cardseal> | null>, default: null },
    /** Which fields, in this order. With others, the form begins anew and is empty. */
    fields: Array as PropType<readonly FieldName[]>,
    /** How the form looks. */
    appearance: Object as PropType<Appearance>,
    /** What the form says, in words of the page's own. */
    texts: Object as PropType<TextOverrides>,
    /** The form's language; that of `loadCardseal()`, if left out. */
    locale: String as PropType<Locale | "auto">,
    /** Whether the fields refuse what is typed. */
    disabled: Boolean,
  },
  emits: {
    /** The form can be typed into. */
    ready: () => true,
    /** What was entered has come to mean something else. */
    change: (_state: CardState) => true,
    /** A field got the focus. */
    focus: (_where: { field: FieldName }) => true,
    /** A field lost the focus. */
    blur: (_where: { field: FieldName }) => true,
    /** Enter was pressed in a field. */
    submit: () => true,
    /** Escape was pressed in a field. */
    escape: () => true,
    /** The form could not be loaded, an option is not right, or `tokenize()` failed. */
    error: (_error: CardsealError) => true,
  },
  expose: ["tokenize", "reportValidity", "focus", "clear"],
  setup(props, { emit }) {
    const place = shallowRef<Element | null>(null);
    const instance = getCurrentInstance();
    let mounted: MountedCard | undefined;

    const options = (): MountedOptions => {
      const { fields, appearance, texts, locale, disabled } = props;
      return {
        ...(fields && { fields }),
        ...(appearance && { appearance }),
        ...(texts && { texts }),
        ...(locale && { locale }),
        disabled,
      };
    };
    const tell: Tell = (name, detail) => {
      (emit as (name: string, detail: unknown) => void)(name, detail);
      return Boolean(instance?.vnode.props?.[`on${name[0]?.toUpperCase()}${name.slice(1)}`]);
    };
    const begin = () => {
      mounted?.end();
      // A proxy, as `ref()` makes one, has none of the private fields that classes and promises are made of.
      const cardseal = toRaw(props.cardseal);
      mounted = cardseal && place.value ? new MountedCard(cardseal, place.value, options(), tell) : undefined;
    };

    onMounted(begin);
    onBeforeUnmount(() => mounted?.end());
    watch([() => Boolean(props.cardseal), () => props.fields?.join()], begin);
    watch(
      () => JSON.stringify({ ...options(), fields: undefined }),
      () => mounted?.update(options()),
    );

    return {
      place,
      /** Exchanges the card for a token. Rejects with a CardsealError, as `Card.tokenize()` does, or `not_ready`. */
      tokenize: async (details?: TokenizeDetails): Promise<Token> => (mounted ?? notReady()).tokenize(details),
      /** Whether the card is complete; if not, every field that is not right says so and the first gets the focus. */
      reportValidity: async (): Promise<boolean> => (mounted ?? notReady()).reportValidity(),
      /** Puts the caret into a field; into the number, if none is named. */
      focus: (field?: FieldName): void => mounted?.focus(field),
      /** Empties every field. */
      clear: (): void => mounted?.clear(),
    };
  },
  render: () => h("div", { ref: "place" }),
});
