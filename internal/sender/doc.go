// Package sender answers for the domains from which a shop writes: the keys that
// sign its mail, whether DNS proves that it may, how fast it may go, and when it
// must stop.
//
// Mailbox providers judge a domain. Three promises follow. Marketing leaves only
// from a domain that DNS has proved: SPF within ten look-ups, both DKIM keys, and
// DMARC that aligns with the address the person sees. A domain of which people
// complain too much, or that providers refuse for its standing, stops sending
// marketing until a person lifts the pause. And speed decides when a message
// leaves, never who gets it: whoever must wait, waits.
//
// Service messages (a receipt, a password) are not held back by any of it.
//
// What is known of the domains stands in two files of the data directory:
// domains.json, which commands and the server change under a lock, with private
// keys sealed by the workspace's key; and traffic.json, the server's counts.
package sender
