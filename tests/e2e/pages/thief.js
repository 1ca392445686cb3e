// A script of the merchant's page that is after the number: it leads the focus, changes what it may, takes the focus away, asks for
// tokens of its own, and writes down whatever it is told. `thief.start(plan)` begins; `thief.haul` is what it has.
(() => {
  "use strict";
  const thief = (window.thief = { haul: [], plan: "", heights: [] });
  const note = (what, detail) => thief.haul.push([what, detail ?? null]);
  const FIELDS = ["name", "security_code", "expiry", "name"];
  const HIDDEN = { colorText: "#ffffff00", colorBackground: "#ffffff", colorBorder: "#ffffff00", fontSize: 12 };
  const WORDS = { number_label: "Name", name_label: "Card number", number_incomplete: "", name_invalid: "", interrupted: "" };
  const frame = () => document.querySelector("#card iframe");
  let turn = 0;

  /** One thing each time, as often as it can. */
  const PLANS = {
    leads: (card) => card.focus("name"),
    "leads about": (card) => card.focus(FIELDS[turn++ % FIELDS.length]),
    "takes the focus and leads": (card) => {
      document.querySelector("#button").focus();
      card.focus("name");
    },
    "takes the focus to its own input and gives it back": (card) => {
      document.querySelector("#own").focus();
      setTimeout(() => card.focus("name"), 2);
    },
    hides: (card) => {
      void card.update({ appearance: HIDDEN, texts: WORDS, locale: ["en", "ja", "th"][turn++ % 3] }).catch(() => {});
      card.focus("name");
    },
    clears: (card) => (turn++ % 3 ? card.focus("name") : card.clear()),
    disables: (card) => {
      void card.update({ disabled: turn++ % 2 === 0 }).catch(() => {});
      card.focus("name");
    },
    submits: (card) => {
      for (const ask of ["reportValidity", "tokenize"]) {
        card[ask]().then((answer) => note(ask, answer), ({ message: _, correlationId: __, ...error }) => note(ask, error));
      }
      card.focus("name");
    },
    "goes to the field's place": () => {
      // Not by `src`, which makes the loader hand over a port that nobody takes.
      frame().contentWindow.location.replace(`${frame().src}#${FIELDS[turn++ % FIELDS.length]}`);
    },
    everything: (card) => {
      const plans = Object.values(PLANS).slice(0, -2);
      plans[turn % plans.length](card);
    },
  };
  thief.plans = Object.keys(PLANS);

  thief.start = (card, plan) => {
    thief.plan = plan;
    let isOver = false;
    const act = () => isOver || PLANS[plan](card);
    thief.stop = () => (isOver = true);
    for (const name of ["change", "focus", "blur", "submit", "escape", "error"]) {
      card.on(name, (detail) => {
        note(`card.on('${name}')`, name === "error" ? detail.code : detail);
        if (name === "change") act();
      });
    }
    new ResizeObserver(() => note("height", frame()?.getBoundingClientRect().height)).observe(frame());
    for (const name of ["keydown", "input", "paste"]) {
      addEventListener(name, ({ key, data }) => note(name, key ?? data), true);
    }
    // The person presses keys, which it cannot hear; it acts between them.
    thief.act = async () => {
      act();
      // Until the form has done what it was asked for, and has told what it had to tell.
      await card.update({}).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 10));
    };
  };

  /** With the public key and its own requests: what the vault tells of a token, and of a card that it guesses. */
  thief.ask = async (vault, key, token) => {
    const headers = { Authorization: `Basic ${btoa(`${key}:`)}`, "Content-Type": "application/json" };
    const told = [];
    const look = await fetch(`${vault}/tokens/${token}`, { headers });
    told.push(["the token", await look.json()]);
    for (const [name, number] of [["the right guess", "4988438843884305"], ["a wrong guess", "4111111111111111"]]) {
      const card = { number, expiration_month: 12, expiration_year: 2030, security_code: "123", name: "Somchai Prasert" };
      const answer = await fetch(`${vault}/tokens`, { method: "POST", headers, body: JSON.stringify({ card }) });
      told.push([name, await answer.json()]);
    }
    for (const address of ["events", "customers", "charges", "search?scope=charge&query=4242"]) {
      // What is not for pages, they cannot even ask.
      const answer = await fetch(`${vault}/${address}`, { headers }).catch(() => undefined);
      told.push([address, (await answer?.json())?.code]);
    }
    return told;
  };
})();
