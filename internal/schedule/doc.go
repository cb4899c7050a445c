// Package schedule sends the reports that colleagues asked for, at their time.
//
// A report goes out once for each period, whatever ends the process: that it was begun
// is durable before a byte leaves, so a mail of which nobody knows whether it left is
// told in the log and not sent again. It never goes out with figures that end too
// early: it waits until the tables hold all that was heard before it was due, and then
// says that it is late, since when and why. Of several periods that were missed the last
// one goes out, and names how many it left out.
//
// It writes to people of the shop, not to customers: none of the rules about customers
// is asked, and none of its mails is a delivery. Who is suppressed gets none.
package schedule
