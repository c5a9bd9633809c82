// Starts the terminal of textual.js: once its font is there to be measured, with its socket's place, and watching that.
"use strict";
const FONT = '16px "Roboto Mono"', ASK_MS = 5000, SILENT_MS = 15000;

const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...words) {
    super(...words);
    let heard = Date.now();
    this.addEventListener("message", () => { heard = Date.now(); });
    this.addEventListener("open", () => {
      const keys = document.querySelector(".xterm-helper-textarea");
      keys.blur(); // had it been clicked before, nobody was told yet
      keys.focus();
    });
    const asking = setInterval(() => {
      document.body.classList.toggle("-silent", Date.now() - heard > SILENT_MS);
      this.send(JSON.stringify(["ping", String(Date.now())]));
    }, ASK_MS);
    this.addEventListener("close", () => clearInterval(asking));
  }

  send(said) { // textual.js doesn't look whether anybody is there
    if (this.readyState === Plain.OPEN) super.send(said);
  }
};

window.addEventListener("load", async () => {
  const address = new URL("ws", window.location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  document.querySelector(".textual-terminal").dataset.sessionWebsocketUrl = address.href;
  await Promise.allSettled([document.fonts.load(FONT), document.fonts.load(`italic ${FONT}`)]);
  const terminal = document.createElement("script");
  terminal.src = "textual.js";
  terminal.onload = () => window.onload(); // what it would do by itself, had it been there sooner
  document.head.append(terminal);
});
