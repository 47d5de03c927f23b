// Who is here: an address in, visitor and session id, first and last touch, inside the sample or not, out.
//
// The state is one small value `visitor.session.last activity.campaign`, read anew each time: other tabs change it too.

import { config, hash, uuid } from "./config";
import { keep, keepSmall, mayStore, ownDomain, readJson, readSmall } from "./storage";

const IDLE = 30 * 60_000;
const HANDED_OVER = 2 * 60_000;
// As in dbt_project/seeds/click_ids.csv and models/intermediate/web/int_urls.sql; a test compares them.
const CLICK_IDS =
  "gclid|gbraid|wbraid|msclkid|ttclid|sccid|li_fat_id|rdt_cid|twclid|epik|fbclid" +
  "|_ef_transaction_id|irclickid|cjevent|awc";
const UTM = "utm_(?:source|medium|campaign|content|term|id)";
const CAMPAIGN = new RegExp(`(?:^|[?&#])(?:${UTM}|${CLICK_IDS}|ref|creator)=[^&#]+`, "gi");

export interface Ids {
  anonId: string;
  sessionId: string;
  isNew: boolean; // the session begins here
}

export interface Touch {
  url: string;
  referrer: string;
  time: string;
}

let handed: string[] | undefined;

/** Take over the visitor whom another of the site's domains sent here, and clean the address bar. */
export function arrive(): void {
  const url = new URL(location.href);
  const given = url.searchParams.get("_tb");
  if (given === null) return;
  const match = /^([\w-]{8,64})\.([\w-]{8,64})\.(\d{1,15})$/.exec(given);
  const age = Date.now() - Number(match?.[3]);
  if (match && age > -HANDED_OVER && age < HANDED_OVER) handed = match.slice(1, 3);
  history.replaceState(history.state, "", location.href.replace(/([?&])_tb=[^&#]*&?/, "$1").replace(/[?&](?=#|$)/, ""));
}

/** What is added to a link to another of the site's domains. */
export function handOver(): string {
  const { anonId, sessionId } = ids();
  return `_tb=${anonId}.${sessionId}.${Date.now()}`;
}

/** The ids of what happens now. A page's address may begin a new session: that of another campaign. */
export function ids(url = ""): Ids {
  const now = Date.now();
  let [anonId, sessionId, last, campaign = ""] = (readSmall("_tb") ?? "").split(".");
  if (handed) {
    [anonId, sessionId] = handed;
    last = now.toString(36);
    handed = undefined;
  }
  const arrived = campaignOf(url);
  const isNew =
    !sessionId || !(now - parseInt(last ?? "", 36) < IDLE) || (arrived !== "" && arrived !== campaign);
  if (isNew) [sessionId, campaign] = [uuid(), arrived];
  anonId ||= uuid();
  keepSmall("_tb", `${anonId}.${sessionId}.${now.toString(36)}.${campaign}`);
  return { anonId, sessionId: sessionId!, isNew };
}

const campaignOf = (url: string) => {
  const found = url.match(CAMPAIGN);
  return found ? hash(found.join()).toString(36) : "";
};

/** Whether a visitor is measured in full. Without an id that lasts, everyone is. */
export const isSampled = (anonId: string) => hash(anonId) % 100 < config.sample;

/** Whether a host shares the cookie with this page. */
export const isHere = (host: string) =>
  host === location.hostname || (ownDomain() !== "" && `.${host}`.endsWith(`.${ownDomain()}`));

/** Whether a host is the site's: it shares the cookie, or is one of the tag's domains or under one. */
export const isOwn = (host: string) =>
  isHere(host) || config.domains.some((domain) => `.${host}`.endsWith(`.${domain.split(":")[0]}`));

/** Whether a page was reached from outside: by a campaign's link or from another site. */
export function isFromOutside(url: string, referrer: string): boolean {
  if (campaignOf(url)) return true;
  const host = /^https?:\/\/([^/:?#]+)/.exec(referrer)?.[1] ?? "";
  return host !== "" && !isOwn(host);
}

/** First and last touch, as kept in this browser. */
export const touches = (): { first?: Touch; last?: Touch } => readJson("_tb_touch") ?? {};

export function remember(touch: Touch): void {
  const known = touches();
  if (!known.first || isFromOutside(touch.url, touch.referrer))
    if (mayStore()) keep("_tb_touch", JSON.stringify({ first: known.first ?? touch, last: touch }));
}
