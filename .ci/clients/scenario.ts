// A short life of an invoice, through a client that is generated from the OpenAPI
// document. tsc checks it; node runs it against a real server.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { env: Record<string, string | undefined> };
type Invoice = components["schemas"]["Invoice"];

const client = createClient<paths>({
  baseUrl: process.env["EXANTE_URL"] ?? "",
  headers: { Authorization: `Bearer ${process.env["EXANTE_API_KEY"]}` },
  querySerializer: { array: { style: "form", explode: false } }, // status=SENT,OVERDUE
});

function assert(ok: boolean, what: string): asserts ok {
  if (!ok) throw new Error(what);
}

/** taken is the data of an answer that must be a success. */
function taken<T>(answer: { data?: { data: T }; error?: { code: string; details: string[] }; response: Response }): T {
  assert(answer.data !== undefined, `${answer.response.status} ${answer.error?.code} ${answer.error?.details}`);
  return answer.data.data;
}

const party = taken(await client.POST("/api/parties", { body: { name: "Globex", billing_contact: { name: "Hank Scorpio" } } }));
const contact: string | null | undefined = party.billing_contact?.email;
assert(contact === null, "an absent value is null");

const draft: Invoice = taken(
  await client.POST("/api/invoices", {
    body: {
      target_party_uid: party.uid,
      currency: "EUR",
      due_date: "2035-01-31",
      invoice_fields: { po: "4711", tags: ["a", "b"] },
      line_items: [{ context_type: "PRODUCT", sku: "seat", quantity: 2.5, unit_price: 2000 }],
    },
  }),
);
assert(draft.total_cents === 5000 && draft.status === "DRAFT", `a draft of ${draft.total_cents}`);
const at = { params: { path: { uid: draft.uid } } };

const line = taken(await client.POST("/api/invoices/{uid}/line_items", { ...at, body: { context_type: "DISCOUNT", sku: "welcome", unit_price: 1000 } }));
assert(!Array.isArray(line) && line.line_total === 1000, "one line for one object");

const sent = taken(await client.PUT("/api/invoices/{uid}", { ...at, body: { status: "SENT" } }));
assert(sent.status === "SENT" && sent.invoice_number !== null, "a sent invoice has a number");

const page = taken(
  await client.GET("/api/invoices", {
    params: { query: { status: ["SENT", "OVERDUE"], target_party_uid: [party.uid], total_from: 1, sort: "-total", per_page: 5 } },
  }),
);
assert(page.items.length === 1 && page.items[0]?.uid === draft.uid && page._meta.total_items === 1, "the list finds it");

const read = await client.GET("/api/invoices/{uid}", at);
const tag = read.response.headers.get("ETag");
assert(taken(read).amount_remaining_cents === 4000 && tag !== null, "4000 remain");

const pay = () =>
  client.POST("/api/invoices/{uid}/payments", {
    params: { ...at.params, header: { "If-Match": tag, "Idempotency-Key": `payment of ${draft.uid}`.replaceAll(" ", "-") } },
    body: { amount_cents: 4000, reference: "wire 4711" },
  });
const payment = taken(await pay());
const again = await pay();
assert(taken(again).uid === payment.uid && again.response.headers.get("Idempotent-Replayed") === "true", "it is paid once");
const paid = taken(await client.GET("/api/invoices/{uid}", at));
assert(paid.status === "PAID" && paid.amount_remaining_cents === 0, "it is paid");

const keys = taken(await client.GET("/api/api-keys", { params: { query: { state: ["active"] } } }));
assert(keys.items.length > 0 && !("key" in keys.items[0]!), "keys are listed without their secrets");

// Errors are typed: code tells them apart, and with it what else they carry.
const refused = await client.PUT("/api/invoices/{uid}", { ...at, body: { status: "DRAFT" } });
assert(refused.error?.code === "illegal_transition", `refused as ${refused.error?.code}`);
const actions: components["schemas"]["InvoiceAction"][] = refused.error.available_actions;
assert(actions.length === 0, "nothing follows PAID");

const unknown = await client.GET("/api/invoices/{uid}", { params: { path: { uid: "0190b7a0-0000-7000-8000-00000000dead" } } });
assert(unknown.error?.code === "not_found", "an absent invoice is not found");

// What the document forbids does not compile.
// @ts-expect-error a name is needed
void (() => client.POST("/api/parties", { body: { address: "742 Evergreen Terrace" } }));
// @ts-expect-error there is no such status
void (() => client.PUT("/api/invoices/{uid}", { ...at, body: { status: "LATE" } }));
// @ts-expect-error there is no such parameter
void (() => client.GET("/api/invoices", { params: { query: { verbose: true } } }));
// @ts-expect-error there is no such code
void (() => unknown.error?.code === "illegal_transition");

console.log(`TypeScript: ${sent.invoice_number} was made, sent, found and paid`);
