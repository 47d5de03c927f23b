// Send events to the collector in batches, each event until it is acknowledged, also across reloads.
//
// Each tab has a queue in localStorage, under a lease. When the lease has run out, the next page adopts the events that
// the tab left. An event that is sent twice, because no page read the answer, has one id and counts once.

import { config, safe, uuid, warn } from "./config";
import { drop, save, mayStore, names, read, readJson } from "./storage";

export interface Event {
  eventId: string;
  type: string;
  [member: string]: unknown;
}

interface Queue {
  lease: number; // when its tab last wrote, in ms; 0: the tab has left
  events: Event[];
}

const PREFIX = "_tb_q.";
const WAIT = "_tb_wait"; // until when the collector asked the browser to wait
const LEASE = 90_000; // timers of a background tab run once a minute
const MOST_EVENTS = 500;
const MOST_BYTES = 200_000;
const BATCH_EVENTS = 100;
const BATCH_BYTES = 58_000; // of 64 KiB that browsers allow requests that outlive their page
const SOON = 1_000;
const AT_MOST = 5_000;
const LONGEST = 300_000;
const ANSWER = 30_000;
const HOUR = 3_600_000;

export const queueName = PREFIX + uuid().slice(0, 8);
let unstored: Event[] = []; // with an e-mail address or phone number, which the browser never stores
let hasLeft = false;
let failures = 0;
let notBefore = 0;
let firstAt = 0; // when the first of the waiting events was queued
let timer: ReturnType<typeof setTimeout> | undefined;
let inFlight: Event[] = [];
const warned = new Set<unknown>();

const queue = (name: string): Queue => readJson<Queue>(name) ?? { lease: 0, events: [] };

/** Return the ms to wait before the next request. A longer wait than any collector asks for means a wrong clock. */
function pause(): number {
  const left = Math.max(notBefore, Number(read(WAIT) ?? 0)) - Date.now();
  return left > HOUR + LONGEST ? 0 : left;
}

function store(events: Event[], lease = Date.now()): void {
  // If there are too many, save conversions longest, then the newest events.
  while (events.length > MOST_EVENTS || (events.length > 1 && JSON.stringify(events).length > MOST_BYTES)) {
    const index = events.findIndex((event) => event.type !== "CONVERSION");
    events.splice(Math.max(index, 0), 1);
  }
  if (events.length) save(queueName, JSON.stringify({ lease, events }));
  else drop(queueName);
}

/** Queue an event. `now` sends the queue at once. */
export function enqueue(event: Event, now = false): void {
  if (event.email || event.phone) unstored.push(event);
  else store([...queue(queueName).events, event]);
  firstAt ||= Date.now();
  schedule(now ? 0 : Math.min(SOON, firstAt + AT_MOST - Date.now()));
}

function schedule(delay: number): void {
  clearTimeout(timer);
  timer = setTimeout(safe(flush), Math.max(delay, pause(), 0));
}

/** Adopt the events of tabs that have left; with `all`, those of every tab. */
export function adopt(all = false): void {
  for (const name of names()) {
    if (!name.startsWith(PREFIX) || name === queueName) continue;
    const { lease, events } = queue(name);
    if (!all && Math.abs(Date.now() - lease) < LEASE) continue;
    drop(name);
    store([...events, ...queue(queueName).events]);
  }
}

function nextBatch(except: Event[] = []): Event[] {
  const sent = new Set(except.map(({ eventId }) => eventId));
  const batch: Event[] = [];
  let size = 100;
  for (const event of [...queue(queueName).events, ...unstored]) {
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
  unstored = unstored.filter(waits);
  store(queue(queueName).events.filter(waits));
}

// The collector corrects the events' times by that of the sending, because the clocks of many devices are wrong.
const body = (events: Event[]) => JSON.stringify({ publicKey: config.key, sentAt: Date.now(), events });

/** Send the next batch, unless a request is under way or has to wait. */
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
    // A text/plain request needs no preflight. With keepalive it outlives the page.
    const keepalive = new Blob([text]).size < 60_000;
    const how = { method: "POST", credentials: "omit", keepalive, signal: abort.signal } as const;
    await handle(await fetch(config.api, { ...how, body: text }));
  } catch {
    retry(0);
  }
  clearTimeout(deadline);
  inFlight = [];
  if (nextBatch().length) schedule(0);
}

/** Act on the collector's answer. */
async function handle(answer: Response): Promise<void> {
  const { ok, status } = answer;
  if (status >= 500 || status === 429 || status === 408) return retry(Number(answer.headers.get("retry-after")) || 0);
  failures = 0;
  settle(inFlight);
  const reply = await answer.json().catch(() => ({}));
  const fault = ok ? reply.errors?.[0] : reply;
  const reason = fault?.detail ?? (ok ? undefined : status);
  if (reason && !warned.has(reason)) warn("not accepted:", reason, warned.add(reason) && fault);
}

/** Back off for a random part of a time that doubles, after the seconds that the collector asked for. */
function retry(asked: number): void {
  const delay = Math.random() * Math.min(1000 * 2 ** failures++, LONGEST);
  notBefore = Date.now() + delay;
  if (asked) save(WAIT, String(notBefore + Math.min(asked * 1000, HOUR)));
}

/** Send by beacon, as the page is unloaded. The events stay stored until a page reads that they arrived. */
export function leave(): void {
  hasLeft = true;
  const waiting = nextBatch(inFlight);
  const isSent = waiting.length && pause() <= 0 && navigator.sendBeacon?.(config.api, body(waiting));
  if (isSent && !mayStore()) settle(waiting);
  store(queue(queueName).events, 0);
}

/** Send the events of earlier pages, and renew the lease while events wait. */
export function start(): void {
  const resume = () => {
    hasLeft = false;
    adopt();
    const { events } = queue(queueName);
    store(events);
    if (events.length) schedule(0);
  };
  resume();
  setInterval(safe(resume), LEASE / 3);
  addEventListener("pageshow", safe(resume));
  addEventListener("online", safe(() => ((notBefore = failures = 0), resume())));
  document.addEventListener("visibilitychange", safe(() => document.hidden && flush()));
}
