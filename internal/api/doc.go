// Package api is the management API: what the shop's own servers, tools and
// people at a terminal may see and change, under /api/v1.
//
// It describes itself: every operation here is also in the OpenAPI document that
// it serves, which docs/openapi.json repeats. Everything but that document needs a
// key. A secret key may do everything; a restricted one what its scopes say. An
// error is a problem document (RFC 9457) that says what is wrong and what to do.
// Lists come in pages, and a page says by which cursor the next one begins.
//
// What changes something is durable when it is answered, and is safe to repeat:
// because only the newest state counts, or by the Idempotency-Key of the request.
// No address and no key is ever part of a path or a query, where logs would keep
// it; so a customer is looked for with a body.
package api
