// Events in, requests to the collector out: each event until it is acknowledged, in batches, also across reloads.
//
// Each tab has a queue of its own in localStorage, under a lease. What a tab left behind is taken over by the next page
// that finds the lease run out. An event sent twice, because nobody heard the answer, has one id and counts once.

import { config, safe, uuid, warn } from "./config";
import { drop, keep, mayStore, names, read, readJson } from "./storage";

export interface Event {
  eventId: string;
  type: string;
  [member: string]: unknown;
}

interface Queue {
  lease: number; // when its tab last wrote, in ms; 0: it is gone
  events: Event[];
}

const PREFIX = "_tb_q.";
const WAIT = "_tb_wait"; // until when the collector asked to be left alone
const LEASE = 90_000; // timers of a tab in the background run once a minute
const MOST_EVENTS = 500;
const MOST_BYTES = 200_000;
const BATCH_EVENTS = 100;
const BATCH_BYTES = 58_000; // of 64 KiB that browsers allow requests that outlive their page
const SOON = 1_000;
const AT_MOST = 5_000;
const LONGEST = 300_000;
const ANSWER = 30_000;
const HOUR = 3_600_000;

export const own = PREFIX + uuid().slice(0, 8);
let untold: Event[] = []; // with an e-mail address or phone number, which are never stored
let hasLeft = false;
let failures = 0;
let notBefore = 0;
let firstAt = 0; // of those that wait
let timer: ReturnType<typeof setTimeout> | undefined;
let inFlight: Event[] = [];
const told = new Set<unknown>();

const queue = (name: string): Queue => readJson<Queue>(name) ?? { lease: 0, events: [] };

/** How long to leave the collector alone, in ms. Longer than anybody asks for: the clock was wrong then. */
function pause(): number {
  const left = Math.max(notBefore, Number(read(WAIT) ?? 0)) - Date.now();
  return left > HOUR + LONGEST ? 0 : left;
}

function put(events: Event[], lease = Date.now()): void {
  // Too many: conversions stay longest, then what is newest.
  while (events.length > MOST_EVENTS || (events.length > 1 && JSON.stringify(events).length > MOST_BYTES)) {
    const index = events.findIndex((event) => event.type !== "CONVERSION");
    events.splice(Math.max(index, 0), 1);
  }
  if (events.length) keep(own, JSON.stringify({ lease, events }));
  else drop(own);
}

/** Queue an event; `now` sends it at once, together with what waits. */
export function enqueue(event: Event, now = false): void {
  if (event.email || event.phone) untold.push(event);
  else put([...queue(own).events, event]);
  firstAt ||= Date.now();
  schedule(now ? 0 : Math.min(SOON, firstAt + AT_MOST - Date.now()));
}

function schedule(delay: number): void {
  clearTimeout(timer);
  timer = setTimeout(safe(flush), Math.max(delay, pause(), 0));
}

/** Take over what tabs left that are gone; with `all`, what every tab has. */
export function adopt(all = false): void {
  for (const name of names()) {
    if (!name.startsWith(PREFIX) || name === own) continue;
    const { lease, events } = queue(name);
    if (!all && Math.abs(Date.now() - lease) < LEASE) continue;
    drop(name);
    put([...events, ...queue(own).events]);
  }
}

function nextBatch(but: Event[] = []): Event[] {
  const sent = new Set(but.map(({ eventId }) => eventId));
  const batch: Event[] = [];
  let size = 100;
  for (const event of [...queue(own).events, ...untold]) {
    if (sent.has(event.eventId)) continue;
    size += new Blob([JSON.stringify(event)]).size + 1;
    if (batch.length === BATCH_EVENTS || (batch.length && size > BATCH_BYTES)) break;
    batch.push(event);
  }
  return batch;
}

function settle(events: Event[]): void {
  const settled = new Set(events.map(({ eventId }) => eventId));
  const waits = (event: Event) => !settled.has(event.eventId);
  untold = untold.filter(waits);
  put(queue(own).events.filter(waits));
}

const body = (events: Event[]) => JSON.stringify({ publicKey: config.key, events });

/** Send the next batch, unless one is under way or the collector is to be left alone. */
export async function flush(): Promise<void> {
  if (inFlight.length || hasLeft) return;
  if (pause() > 0) return schedule(0);
  firstAt = 0;
  inFlight = nextBatch();
  if (!inFlight.length) return;
  const text = body(inFlight);
  const abort = new AbortController();
  const deadline = setTimeout(() => abort.abort(), ANSWER);
  try {
    // As text/plain it needs no preflight, and with keepalive it outlives the page.
    const keepalive = new Blob([text]).size < 60_000;
    const how = { method: "POST", credentials: "omit", keepalive, signal: abort.signal } as const;
    await heed(await fetch(config.api, { ...how, body: text }));
  } catch {
    retry(0);
  }
  clearTimeout(deadline);
  inFlight = [];
  if (nextBatch().length) schedule(0);
}

/** Act on the collector's answer. */
async function heed(answer: Response): Promise<void> {
  const { ok, status } = answer;
  if (status >= 500 || status === 429 || status === 408) return retry(Number(answer.headers.get("retry-after")) || 0);
  failures = 0;
  settle(inFlight);
  const said = await answer.json().catch(() => ({}));
  const fault = ok ? said.errors?.[0] : said;
  const reason = fault?.detail ?? (ok ? undefined : status);
  if (reason && !told.has(reason)) warn("not accepted:", told.add(reason) && fault);
}

/** Back off: a random part of a time that doubles, after what the collector asked for (seconds). */
function retry(asked: number): void {
  const delay = Math.random() * Math.min(1000 * 2 ** failures++, LONGEST);
  notBefore = Date.now() + delay;
  if (asked) keep(WAIT, String(notBefore + Math.min(asked * 1000, HOUR)));
}

/** The page goes: what is not under way goes by beacon, and stays in storage until a page hears that it arrived. */
export function leave(): void {
  hasLeft = true;
  const waiting = nextBatch(inFlight);
  const isSent = waiting.length && pause() <= 0 && navigator.sendBeacon?.(config.api, body(waiting));
  if (isSent && !mayStore()) settle(waiting);
  put(queue(own).events, 0);
}

/** Send what earlier pages left, and keep the lease while something waits. */
export function start(): void {
  const resume = () => {
    hasLeft = false;
    adopt();
    const { events } = queue(own);
    put(events);
    if (events.length) schedule(0);
  };
  resume();
  setInterval(safe(resume), LEASE / 3);
  addEventListener("pageshow", safe(resume));
  addEventListener("online", safe(() => ((notBefore = failures = 0), resume())));
  document.addEventListener("visibilitychange", safe(() => document.hidden && flush()));
}
