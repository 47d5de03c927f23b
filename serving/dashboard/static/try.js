// Shows the answer of a question on the page of the API instead of in a new tab.
"use strict";

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches(".try") || ["parquet", "arrow"].includes(form.elements.format.value)) return;
  event.preventDefault();
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  const address = `${form.getAttribute("action")}?${query}`;
  const place = form.parentElement.querySelector(".answer");
  place.hidden = false;
  place.textContent = `GET ${address}\n…`;
  const response = await fetch(address);
  const text = await response.text();
  const is_json = (response.headers.get("content-type") || "").includes("json");
  place.textContent = `GET ${address}\n${response.status}\n\n${is_json ? JSON.stringify(JSON.parse(text), null, 2) : text}`;
});
