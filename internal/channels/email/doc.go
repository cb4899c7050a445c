// Package email is the channel that speaks SMTP (RFC 5321).
//
// It has two parts. [Compose] turns a message that [mail.Check] let through into
// RFC 5322 bytes, the same bytes each time for the same message; no other code
// decides what an address is, so what stands in RCPT TO is exactly what was
// checked. [Channel] hands them to a mail server over a pool of connections that
// stay open.
//
// The client is our own, not a library's, for one reason: the difference between
// Deferred and Unknown. A delivery is unknown exactly from the moment at which
// the final dot may have left this machine until the answer to it is read, and
// the clients we looked at report a broken connection as one error, before and
// after the dot alike; some of them then send again by themselves. Two further
// reasons: with PIPELINING (RFC 2920) a message costs one round trip, because
// the envelope of the next one travels behind the dot of this one; and one
// recipient's refusal must not end the batch.
package email
