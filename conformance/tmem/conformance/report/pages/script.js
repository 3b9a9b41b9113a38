for (const button of document.querySelectorAll("[data-copy], [data-copy-of]"))
  button.addEventListener("click", async () => {
    const text = button.dataset.copy ?? document.getElementById(button.dataset.copyOf).textContent;
    try { await navigator.clipboard.writeText(text); button.textContent = "copied"; }
    catch { button.textContent = "select it, and copy"; }
  });
for (const bar of document.querySelectorAll("svg .bar")) {
  const caption = bar.closest(".diagram").nextElementSibling;
  for (const event of ["focus", "mouseenter"])
    bar.addEventListener(event, () => {
      caption.textContent = bar.getAttribute("aria-label");
      caption.classList.add("read");
    });
}
