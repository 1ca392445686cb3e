import { loadCardseal } from "cardseal";
import { CardFields } from "cardseal/vue";
import { createApp, h, ref, shallowRef } from "vue";

// A real shop has these in its settings.
const settings = new URLSearchParams(location.search);
const cardseal = loadCardseal({
  publicKey: settings.get("key"),
  vault: settings.get("vault"),
  mode: settings.get("mode") ?? "hosted",
});

const Checkout = {
  setup() {
    const card = ref();
    const complete = ref(false);
    const token = shallowRef();
    const problem = ref("");
    const tell = (error) => (problem.value = `${error.code}: ${error.message}`);
    const pay = async (event) => {
      event.preventDefault();
      token.value = await card.value.tokenize({ email: "somchai@example.com" }).catch(tell);
    };
    return () =>
      h("form", { onSubmit: pay }, [
        h(CardFields, {
          ref: card,
          cardseal,
          onChange: (state) => (complete.value = state.complete),
          onError: tell,
        }),
        h("button", { id: "pay", disabled: !complete.value }, "Pay"),
        h("p", { id: "problem", role: "alert" }, problem.value),
        token.value && h("output", { id: "token" }, token.value.id),
      ]);
  },
};

createApp(Checkout).mount("#app");
