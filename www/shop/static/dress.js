// Card fields in the shop's own colours, in light and in dark.

export function dress(card) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    return card.update({
      appearance: {
        colorText: color("--ink"),
        colorBackground: color("--panel"),
        colorBorder: color("--edge"),
        colorAccent: color("--focus"),
        colorError: color("--on-bad"),
        radius: 10,
      },
    });
  };
  dark.addEventListener("change", apply);
  return apply();
}
