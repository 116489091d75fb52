import { beforeEach, describe, expect, it, vi } from "vitest";
import { chosen, t } from "../src/i18n/i18n.js";
import { forgetSeat, keepSeat, keptSeat, takeFragment } from "../src/meeting/seat.js";
import { actOf, turnShortcuts } from "../src/meeting/shortcuts.js";

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
  document.body.innerHTML = "";
});

describe("a secret in the address", () => {
  it("leaves it at once and is kept for this tab", () => {
    history.replaceState(null, "", "/j/482915370#t=secret");
    expect(takeFragment("t", "token:1")).toBe("secret");
    expect(location.href).not.toContain("secret");
    expect(location.pathname).toBe("/j/482915370");
    expect(takeFragment("t", "token:1")).toBe("secret");
  });

  it("of another name stays where it is", () => {
    history.replaceState(null, "", "/#other=1");
    expect(takeFragment("t", "token:2")).toBeNull();
    expect(location.hash).toBe("#other=1");
  });
});

describe("a seat", () => {
  it("is kept over a reload, until it is given up", () => {
    const seat = { token: "r", muted: true, camera: false, iceServers: [] };
    keepSeat("482915370", seat);
    expect(keptSeat("482915370")).toEqual(seat);
    expect(keptSeat("111111111")).toBeNull();
    forgetSeat("482915370");
    expect(keptSeat("482915370")).toBeNull();
  });
});

describe("a shortcut", () => {
  const press = (target: HTMLElement, init: KeyboardEventInit): string | undefined => {
    let act: string | undefined;
    const listen = vi.fn((event: KeyboardEvent) => {
      act = actOf(event);
    });
    addEventListener("keydown", listen, { once: true });
    target.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, composed: true, ...init }));
    expect(listen).toHaveBeenCalled();
    return act;
  };

  it("works where nothing is written, whatever the case of the letter", () => {
    expect(press(document.body, { key: "m" })).toBe("mute");
    expect(press(document.body, { key: "V" })).toBe("camera");
  });

  it("does nothing with a modifier, while a key is held down, or while the user writes", () => {
    const field = document.body.appendChild(document.createElement("textarea"));
    expect(press(field, { key: "m" })).toBeUndefined();
    expect(press(document.body, { key: "m", ctrlKey: true })).toBeUndefined();
    expect(press(document.body, { key: "m", repeat: true })).toBeUndefined();
  });

  it("does nothing when the user has turned shortcuts off", () => {
    turnShortcuts(false);
    expect(press(document.body, { key: "m" })).toBeUndefined();
  });
});

describe("the language", () => {
  it("that is chosen is the page's, and the document says so", () => {
    chosen.choose("en");
    expect(document.documentElement.lang).toBe("en");
    expect(t("people.present", { count: 3 })).toBe("In the meeting (3)");
    chosen.choose("sv");
    expect(t("people.present", { count: 3 })).toBe("I mötet (3)");
  });
});
