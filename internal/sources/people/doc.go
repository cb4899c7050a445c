// Package people brings what another system knows of people into the log:
// customers, their consents, those who must not be written to, and events.
//
// Order does not matter for safety. An address that one file says must not be
// written to is suppressed in the ledger, by a keyed hash of its one normal
// spelling, and no consent, customer or list that comes before or after makes it
// sendable. There is one exception, and the file must ask for it: a consent with
// evidence that is newer than an unsubscribe and that the file itself calls explicit
// takes that unsubscribe back. Bounces, complaints and what somebody held back by
// hand are never taken back by a file.
//
// What is imported is history. It never sends, and each event carries the import's
// id, by which it can be undone. A row has one meaning whenever it is read: its
// event ids are made of what it says, so a file that is imported twice, or half of
// it after a crash, changes nothing that is there.
//
// Exports of Klaviyo, Mailchimp, dotdigital and listmonk are told by their headers;
// see [Vendor].
package people
