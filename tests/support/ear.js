// Runs in the page before anything else. It records what the page plays, and reads what the page shows; it touches nothing.
(() => {
  const chunks = [];
  const set = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "srcObject");
  let context;

  const record = (stream) => {
    context ??= new AudioContext({ sampleRate: 48000 });
    void context.resume();
    const recorder = context.createScriptProcessor(2048, 1, 1);
    recorder.onaudioprocess = (event) => {
      const played = event.inputBuffer.getChannelData(0);
      chunks.push(Int16Array.from(played, (sample) => Math.max(-1, Math.min(1, sample)) * 32767));
    };
    context.createMediaStreamSource(stream).connect(recorder).connect(context.destination);
  };

  const inRoom = (media) => media.getRootNode().host?.localName === "room-stage";
  const times = {};

  Object.defineProperty(HTMLMediaElement.prototype, "srcObject", {
    ...set,
    set(stream) {
      set.set.call(this, stream);
      if (!stream || !inRoom(this)) return;
      if (this instanceof HTMLAudioElement) record(stream);
      else this.requestVideoFrameCallback(() => (times.picture ??= performance.now()));
    },
  });
  addEventListener("click", () => (times.click = performance.now()), true);

  // through shadow roots: "room-stage video"
  const element = (path, root = document) => {
    const found = [];
    const walk = (node, inside) => {
      for (const child of node.querySelectorAll("*")) {
        if (inside && child.matches(path.split(" ").at(-1))) found.push(child);
        const named = inside || path.split(" ").length === 1 || child.matches(path.split(" ")[0]);
        if (child.shadowRoot) walk(child.shadowRoot, named);
      }
    };
    walk(root, false);
    return found[0];
  };

  const everything = (selector, root = document) =>
    [...root.querySelectorAll("*")].flatMap((one) => [
      ...(one.matches(selector) ? [one] : []),
      ...(one.shadowRoot ? everything(selector, one.shadowRoot) : []),
    ]);

  const inside = (node, name) => {
    for (let at = node; at; at = at.parentNode ?? at.host) if (at.localName === name) return true;
    return false;
  };

  const names = () => {
    const stage = element("room-stage");
    return [...(stage?.shadowRoot.querySelectorAll(".tile[data-source=camera]") ?? [])].map((tile) => ({
      name: tile.querySelector(".name span")?.textContent ?? "",
      tile: tile.getBoundingClientRect(),
    }));
  };

  const colours = () => {
    const video = element("room-stage video");
    if (!video?.videoWidth) return {};
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    const pixels = canvas.getContext("2d");
    pixels.drawImage(video, 0, 0);
    const shown = video.getBoundingClientRect();
    const seen = {};
    for (const { name, tile } of names()) {
      const x = ((tile.x + tile.width / 2 - shown.x) / shown.width) * video.videoWidth;
      const y = ((tile.y + tile.height / 2 - shown.y) / shown.height) * video.videoHeight;
      seen[name] = [...pixels.getImageData(Math.round(x), Math.round(y), 1, 1).data].slice(0, 3);
    }
    return seen;
  };

  globalThis.ear = {
    element,
    colours,
    clickToPicture: () => times.picture - times.click,
    pictured: () => (element("room-stage video")?.videoWidth ?? 0) > 0,
    sees: (wanted) => {
      const seen = colours();
      return Object.entries(wanted).every(([name, colour]) =>
        seen[name]?.every((value, part) => Math.abs(value - colour[part]) < 40),
      );
    },
    tiles: () => element("room-stage").shadowRoot.querySelectorAll(".tile").length,
    // the id of what has the focus, through shadow roots
    focused: () => {
      let active = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      return active?.id || active?.localName || "";
    },
    focusIn: (name) => {
      let active = document.activeElement;
      for (; active; active = active.shadowRoot?.activeElement) if (active.localName === name || inside(active, name)) return true;
      return false;
    },
    outline: () => {
      let active = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(active);
      return outlineStyle === "none" ? 0 : parseFloat(outlineWidth);
    },
    // WCAG 2.5.8; a checkbox or radio is as large as its label
    smallTargets: () =>
      everything("button, a[href], input, select, textarea")
        .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
        .map((one) => ({ one, box: (one.closest("label") ?? one).getBoundingClientRect() }))
        .filter(({ box }) => box.width > 0 && (box.width < 24 || box.height < 24))
        .map(({ one }) => one.outerHTML.slice(0, 80)),
    // the newest `count` samples, or all: 16 bits, little endian, as base64
    samples: (count) => {
      const all = new Int16Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
      chunks.reduce((at, chunk) => (all.set(chunk, at), at + chunk.length), 0);
      const wanted = count ? all.slice(-count) : all;
      const bytes = new Uint8Array(wanted.buffer);
      let text = "";
      for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
      return btoa(text);
    },
  };
})();
