// Package inbound is the door for mails that come back: bounces, complaints of
// feedback loops and unsubscribes by mail, over SMTP.
//
// It takes a mail only for an address that we made and signed for one delivery,
// or for the mailbox that is registered with feedback loops, where the signed
// address must stand in the report. Everything else is refused at RCPT, before a
// byte of it is read: this is no mailbox, and no relay. What is taken is answered
// 250 once all that it means is durable.
//
// Strangers speak here, so connections, recipients, sizes and times are bounded.
package inbound
