// Walks all three apps with openapi-fetch and the types that openapi-typescript makes of the document.
// Its arguments are the service's address, an e-mail address and a password; it prints where a browser
// has to go, and reads from standard input where that came back to.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Api = Client<paths>;
const SOCIAL = "/api/v1/plugin/social-media-publisher/social";
const NOBODYS = "0198c0de-0000-7000-8000-000000000000";
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

function expect<T>(answer: { data?: T; error?: unknown }): T {
  assert.equal(answer.error, undefined, JSON.stringify(answer.error));
  return answer.data as T;
}

async function comeBack(authorizationUrl: string) {
  console.log(`Open ${authorizationUrl}`);
  const query = new URL((await lines.next()).value).searchParams;
  const given = (name: string) => query.get(name) ?? "";
  return { code: given("code"), state: given("state"), iss: given("iss") };
}

async function signIn(baseUrl: string, email: string, password: string): Promise<Api> {
  const api = createClient<paths>({ baseUrl });
  const query = { app: "social" } as const;
  const { platforms } = expect(await api.GET("/api/v1/platforms", { params: { query } }));
  assert.deepEqual(platforms.filter((one) => one.available).map((one) => one.slug), ["sandbox_pages"]);
  const tokens = expect(await api.POST("/api/v1/auth/login", { body: { email, password } }));
  api.use({
    onRequest: ({ request }) => request.headers.set("Authorization", `Bearer ${tokens.access_token}`),
  });
  assert.equal(expect(await api.GET("/api/v1/me")).email, email);
  return api;
}

async function walkProvider(api: Api) {
  const begun = expect(await api.POST("/api/v1/providers", { body: { provider_slug: "sandbox" } }));
  const query = await comeBack(begun.authorization_url);
  const made = expect(await api.POST("/api/v1/providers/callback", { params: { query } }));
  assert.equal(made.alias, null);
  const path = { id: made.id };
  const refresh = await api.POST("/api/v1/providers/{id}/token-refreshes", {
    params: { path }, body: { force: true },
  });
  assert.equal(expect(refresh).success, true);
  const synced = expect(await api.POST("/api/v1/accounts/syncs", { body: { connection_id: made.id } }));
  assert.ok(synced.created > 0);
  const of = { query: { connection_id: made.id } };
  const [account] = expect(await api.GET("/api/v1/accounts", { params: of })).data;
  assert.ok(account);
  const transactions = await api.GET("/api/v1/accounts/{id}/transactions", {
    params: { path: { id: account.id }, query: { limit: 1 } },
  });
  assert.equal(expect(transactions).pagination.limit, 1);
  expect(await api.DELETE("/api/v1/auth/{id}/disconnect", { params: { path } }));
  const ended = expect(await api.GET("/api/v1/providers/{id}", { params: { path } }));
  assert.equal(ended.status, "disconnected" satisfies components["schemas"]["ConnectionStatus"]);
  const receipt = { params: { path: { connection_id: made.id } } };
  assert.match(expect(await api.GET("/api/v1/receipts/{connection_id}", receipt)).receipt, /\./);
  const { error } = await api.GET("/api/v1/providers/{id}", { params: { path: { id: NOBODYS } } });
  assert.equal(error?.type, "https://api.dashtam.com/errors/not_found" satisfies NonNullable<typeof error>["type"]);
}

async function walkChannel(api: Api) {
  const begun = expect(await api.POST("/api/v1/channels/connect", { body: { channel: "sandbox_social" } }));
  const query = await comeBack(begun.authorization_url);
  const made = expect(await api.POST("/api/v1/channels/callback", { params: { query } }));
  const run_at = new Date(Date.now() + 86_400_000).toISOString();
  const post = { channel_connection_id: made.id, content: "Hello", run_at };
  assert.equal(expect(await api.POST("/api/v1/schedules", { body: post })).status, "pending");
  const path = { id: made.id };
  const { error } = await api.DELETE("/api/v1/channels/connections/{id}", { params: { path } });
  const code = error?.errors[0]?.error_code;
  assert.equal(code, "CONNECTION_HAS_ACTIVE_SCHEDULES" satisfies typeof code);
  const params = { path, query: { cancel_schedules: true } };
  const ended = expect(await api.DELETE("/api/v1/channels/connections/{id}", { params }));
  assert.equal(ended.status, "disconnected");
}

async function walkSocial(api: Api) {
  const begun = expect(await api.POST(`${SOCIAL}/connect`, { body: { platform: "sandbox_pages" } }));
  const query = await comeBack(begun.authorizationUrl);
  const [account] = expect(await api.POST(`${SOCIAL}/callback`, { params: { query } })).accounts;
  assert.ok(account);
  const post = { accountId: account.id, caption: "Hello" };
  const header = { "Idempotency-Key": "first" };
  assert.ok(expect(await api.POST(`${SOCIAL}/publish`, { params: { header }, body: post })).success);
  const body = { accountId: account.id };
  assert.ok(expect(await api.POST(`${SOCIAL}/disconnect`, { body })).success);
  const { error } = await api.POST(`${SOCIAL}/disconnect`, { body });
  assert.equal(error?.error, "Account already disconnected" satisfies NonNullable<typeof error>["error"]);
}

const [url = "", email = "", password = ""] = process.argv.slice(2);
const api = await signIn(url, email, password);
await walkProvider(api);
await walkChannel(api);
await walkSocial(api);
const all = expect(await api.GET("/api/v1/connections")).data;
assert.ok(all.every((one) => (one.disconnected_at === null) === (one.status !== "disconnected")));
console.log("Walked");
process.exit(0);
