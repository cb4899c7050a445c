// Package connect is what shop platforms have in common: where a shop's secrets
// are kept, how a signed webhook is taken, how a shop's past is read page by page,
// and how what a platform says becomes events of ours.
//
// A platform ([Platform]; packages shopify and woocommerce) turns one document of
// its own into events and products. It states facts and never differences: every
// version of an order tells the order, its refunds and its cancellation, each
// under an id that depends on the fact alone. So a webhook that comes twice, or
// after one that was sent later, or beside a back-fill of the same order, changes
// nothing that is not so.
//
// A webhook is answered 200 only once what it says is durable. A body that nobody
// can ever read is put aside, durably, and answered 200 too: the platform would
// send it again for two days and then stop sending anything.
//
// Consent that a platform states is an entry with its evidence and its own time. It
// replaces what the platform said before, and nothing else: who unsubscribed here,
// complained or bounced does not become sendable by what a shop's database says
// ([Options.Refused]).
package connect
