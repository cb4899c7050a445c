// Package bounce reads the mails that servers write about our mails: delivery
// status notifications (RFC 3464), the letters that servers wrote before there
// was a standard and still write, complaints of feedback loops (RFC 5965), and
// automatic answers, which are none of these.
//
// It only reads. Whether a mail is genuine is told by the address to which it
// came, and what a failure means by [rapport/internal/channels.Failure.Cause].
// A reader that misunderstands must do no harm: what is not clearly a bounce is
// none, what is not clearly the address's fault is soft, and somebody's holiday
// is never an error, whatever numbers stand in it.
//
// The mails come from strangers, so a mail costs bounded time and memory: its
// size, depth, parts, lines and recipients have limits, and beyond them the rest
// is not looked at.
package bounce
