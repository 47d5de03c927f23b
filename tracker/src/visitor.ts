// Identify the visitor: visitor and session id, first and last touch, and whether the visitor is inside the sample.
//
// The state is one small value `visitor.session.last activity.campaign`. Other tabs change it, so each use reads it again.

import { config, hash, uuid } from "./config";
import { save, saveSmall, mayStore, cookieDomain, readJson, readSmall } from "./storage";

const IDLE = 30 * 60_000;
const HANDED_OVER = 2 * 60_000;
// As in dbt_project/seeds/click_ids.csv and models/intermediate/web/int_urls.sql; a test compares them.
// In an order that compresses well, since the script has at most 5 KB.
const CLICK_IDS =
  "spmailingid|dicbo|zanpid|ef_id|et_rid|dclid|vmcid|ransiteid|vgo_ee|ndclid|qclid|ob_click_id|emci" +
  "|aleid|ck_subscriber_id|_ef_transaction_id|ml_subscriber_hash|rb_clickid|gbraid|_kx|ldtag_cl|_ke" +
  "|mkt_tok|bsft_clkid|gad_source|msclkid|gad_campaignid|trk_contact|omnisendcontactid|trk_msg" +
  "|iterablecampaignid|wgcampaignid|wbraid|_bta_tid|tblci|oppref|elqtrackid|irclickid|gclid|qhclickid|yclid" +
  "|sfmc_sub|s_kwcid|ysclid|sccid|ymclid|sscid|clickref|mc_cid|cjevent|rdt_cid|epik|bd_vid|cto_pld|dm_i" +
  "|awc|ttclid|obclid|oly_anon_id|ml_subscriber|mc_eid|li_fat_id|_hsenc|twclid|oly_enc_id|_hsmi" +
  "|admitad_uid|tduid|vero_id|__s|fbclid|inf_contact_key";
const UTM = "utm_(?:source|medium|campaign|content|term|id)";
const CAMPAIGN = new RegExp(`(?:^|[?&#])(?:${UTM}|${CLICK_IDS}|ref|creator)=[^&#]+`, "gi");

export interface Ids {
  anonId: string;
  sessionId: string;
  isNew: boolean; // the session starts here
}

export interface Touch {
  url: string;
  referrer: string;
  time: string;
}

let handedOver: string[] | undefined;

/** Adopt the ids that another domain of the site sent in the URL, and remove them from the address bar. */
export function adoptHandOver(): void {
  const url = new URL(location.href);
  const given = url.searchParams.get("_tb");
  if (given === null) return;
  const match = /^([\w-]{8,64})\.([\w-]{8,64})\.(\d{1,15})$/.exec(given);
  if (match && Math.abs(Date.now() - +match[3]!) < HANDED_OVER) handedOver = match.slice(1, 3);
  history.replaceState(history.state, "", location.href.replace(/([?&])_tb=[^&#]*&?/, "$1").replace(/[?&](?=#|$)/, ""));
}

/** Return the parameter for a link to another domain of the site. */
export function handOver(): string {
  const { anonId, sessionId } = ids();
  return `_tb=${anonId}.${sessionId}.${Date.now()}`;
}

/** Return the visitor's current ids. The URL of an arrival by another campaign starts a new session. */
export function ids(url = ""): Ids {
  const now = Date.now();
  let [anonId, sessionId, last, campaign = ""] = (readSmall("_tb") ?? "").split(".");
  if (handedOver) {
    [anonId, sessionId] = handedOver;
    last = now.toString(36);
    handedOver = undefined;
  }
  const arrived = campaignOf(url);
  const isNew =
    !sessionId || !(now - parseInt(last ?? "", 36) < IDLE) || (arrived !== "" && arrived !== campaign);
  if (isNew) [sessionId, campaign] = [uuid(), arrived];
  anonId ||= uuid();
  saveSmall("_tb", `${anonId}.${sessionId}.${now.toString(36)}.${campaign}`);
  return { anonId, sessionId: sessionId!, isNew };
}

const campaignOf = (url: string) => {
  const found = url.match(CAMPAIGN);
  return found ? hash(found.join()).toString(36) : "";
};

/** Return whether the visitor is inside the sample. Without a lasting id, every visitor is. */
export const isSampled = (anonId: string) => hash(anonId) % 100 < config.sample;

/** Return whether a host shares the cookie with this page. */
export const sharesCookie = (host: string) =>
  host === location.hostname || (cookieDomain() !== "" && `.${host}`.endsWith(`.${cookieDomain()}`));

/** Return whether a host belongs to the site: it shares the cookie, or is one of the tag's domains or a subdomain. */
export const isSiteHost = (host: string) =>
  sharesCookie(host) || config.domains.some((domain) => `.${host}`.endsWith(`.${domain.split(":")[0]}`));

/** Return whether the visitor came from outside: from another site, or by a campaign's link from an unknown place. */
export function isFromOutside(url: string, referrer: string): boolean {
  const host = /^https?:\/\/([^/:?#]+)/.exec(referrer)?.[1];
  return host ? !isSiteHost(host) : campaignOf(url) !== "";
}

/** Return the first and last touch that this browser stores. */
export const touches = (): { first?: Touch; last?: Touch } => readJson("_tb_touch") ?? {};

export function storeTouch(touch: Touch, isArrival: boolean): void {
  const { first } = touches();
  if ((!first || isArrival) && mayStore()) save("_tb_touch", JSON.stringify({ first: first ?? touch, last: touch }));
}
