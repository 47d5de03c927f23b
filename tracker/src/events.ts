// What happened in, an event of the collector's contract out: queued, or kept back by a visitor outside the sample.

import { config, uuid } from "./config";
import { type Event, enqueue } from "./queue";
import { consent, drop, keep, readJson } from "./storage";
import { ids, isSampled, remember } from "./visitor";

export type Given = Record<string, unknown>;

// Members of the contract; everything else is a property.
const MEMBERS =
  "url path title referrer value currency orderId conversionType userId email phone entityType entityId isReplay"
    .split(" ");
// What an order needs is measured for every visitor; those outside the sample then send how they came, too.
const ALWAYS = ["CONVERSION", "CHECKOUT_COMPLETED", "REFUND"];
const AT_ONCE = [...ALWAYS, "PAGE_VIEW", "IDENTIFY"];
const KEPT = "_tb_kept";
const MOST_KEPT = 20;

/** Send an event of a type; what is in `given` and no member of the contract becomes a property. */
export function track(type: string, given: Given = {}): void {
  let event = built(type, given);
  if (event.consent === false) {
    if (type === "IDENTIFY") return;
    delete event.userId;
    delete event.email;
    delete event.phone;
  } else if (!config.cookieless) {
    const { url, referrer, timestamp } = event as Event & Record<string, string>;
    const isPage = type === "PAGE_VIEW";
    const { isNew, ...who } = ids(isPage ? url : "");
    if (isPage) remember({ url: url!, referrer: referrer ?? "", time: timestamp! });
    event = { ...event, ...who };
    if (config.sample < 100) {
      event.samplePercent = config.sample;
      if (!isSampled(who.anonId)) {
        if (!ALWAYS.includes(type)) return keepBack(event, isNew);
        kept().forEach((landing) => enqueue(landing));
        drop(KEPT);
      }
    }
  }
  const { email, phone, ...rest } = event;
  if ((email || phone) && type !== "IDENTIFY") {
    // Such an event is stored until it is acknowledged, an e-mail address or phone number never is.
    enqueue(rest as Event, true);
    const who = pick(rest, ["anonId", "sessionId", "samplePercent"]);
    event = { ...built("IDENTIFY", { userId: rest.userId, email, phone }), ...who };
  }
  enqueue(event, AT_ONCE.includes(event.type));
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
    // JSON would make null of what is no number; as text it is refused, and the console says so.
    value: typeof value === "number" && !isFinite(value) ? String(value) : value,
    properties: Object.keys(properties).length ? properties : undefined,
    consent: consent(),
  };
}

/** Those members that are there; ids are text, also where the page has numbers. */
const pick = (from: Given, names: string[]): Given =>
  Object.fromEntries(
    names
      .filter((name) => from[name] != null)
      .map((name) => [name, /Id$/.test(name) ? String(from[name]) : from[name]]),
  );

const kept = () => readJson<Event[]>(KEPT) ?? [];

/** Outside the sample: how each session began, and who the visitor is, waits for a conversion. */
function keepBack({ email, phone, ...event }: Event, isNew: boolean): void {
  if (!isNew && !(event.type === "IDENTIFY" && event.userId)) return;
  const all = [...kept(), { ...event, isReplay: true } as Event];
  if (all.length > MOST_KEPT) all.splice(1, 1); // the first touch stays
  keep(KEPT, JSON.stringify(all));
}
