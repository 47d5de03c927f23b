// Build an event of the collector's contract from a call, and queue it; or defer it for a visitor outside the sample.

import { config, uuid } from "./config";
import { type Event, enqueue } from "./queue";
import { consent, drop, save, readJson } from "./storage";
import { ids, isFromOutside, isSampled, storeTouch } from "./visitor";

export type Given = Record<string, unknown>;

// Members of the contract; everything else is a property.
const MEMBERS =
  "url path title referrer value currency orderId conversionType userId email phone entityType entityId isReplay"
    .split(" ");
// Every visitor sends these. A visitor outside the sample then also sends the deferred landings.
const ALWAYS = ["CONVERSION", "CHECKOUT_COMPLETED", "REFUND"];
const IMMEDIATE = [...ALWAYS, "PAGE_VIEW", "IDENTIFY"];
const DEFERRED = "_tb_kept";
const MAX_DEFERRED = 20;

/** Send an event of a type. Members of `given` that the contract does not have become properties. */
export function track(type: string, given: Given = {}): void {
  let event = built(type, given);
  if (event.consent === false) {
    if (type === "IDENTIFY") return;
    delete event.userId;
    delete event.email;
    delete event.phone;
  } else if (!config.cookieless) {
    const { url = "", referrer = "", timestamp: time = "" } = event as Partial<Record<string, string>>;
    const isPage = type === "PAGE_VIEW";
    const isArrival = isPage && isFromOutside(url, referrer);
    const { isNew, ...who } = ids(isArrival ? url : "");
    if (isPage) storeTouch({ url, referrer, time }, isArrival);
    event = { ...event, ...who };
    if (config.sample < 100) {
      event.samplePercent = config.sample;
      if (!isSampled(who.anonId)) {
        if (!ALWAYS.includes(type)) return defer(event, isNew);
        deferred().forEach((landing) => enqueue(landing));
        drop(DEFERRED);
      }
    }
  }
  const { email, phone, ...rest } = event;
  if ((email || phone) && type !== "IDENTIFY") {
    // The browser stores an event until it is acknowledged, but never an e-mail address or phone number.
    enqueue(rest as Event, true);
    const who = pick(rest, ["anonId", "sessionId", "samplePercent"]);
    event = { ...built("IDENTIFY", { userId: rest.userId, email, phone }), ...who };
  }
  enqueue(event, IMMEDIATE.includes(event.type));
}

function built(type: string, given: Given): Event {
  const { value } = given;
  const properties: Given = { ...(given.properties as Given) };
  for (const name in given) if (name !== "properties" && !MEMBERS.includes(name)) properties[name] = given[name];
  return {
    eventId: uuid(),
    type,
    timestamp: new Date().toISOString(),
    url: location.href,
    path: location.pathname,
    ...pick(given, MEMBERS),
    // JSON would turn NaN into null. As text the collector rejects it, and the console shows why.
    value: typeof value === "number" && !isFinite(value) ? String(value) : value,
    properties: Object.keys(properties).length ? properties : undefined,
    consent: consent(),
  };
}

/** Return the members that are present. Ids become text, because pages often have numbers. */
const pick = (from: Given, names: string[]): Given =>
  Object.fromEntries(
    names
      .filter((name) => from[name] != null)
      .map((name) => [name, /Id$/.test(name) ? String(from[name]) : from[name]]),
  );

const deferred = () => readJson<Event[]>(DEFERRED) ?? [];

/** Defer the start of each session and the identity of a visitor outside the sample until a conversion. */
function defer({ email, phone, ...event }: Event, isNew: boolean): void {
  if (!isNew && !(event.type === "IDENTIFY" && event.userId)) return;
  const all = [...deferred(), { ...event, isReplay: true } as Event];
  if (all.length > MAX_DEFERRED) all.splice(1, 1); // save the first touch
  save(DEFERRED, JSON.stringify(all));
}
