// Package provider carries messages to a provider over HTTP. It is what the
// adapters for such providers share: each of them says how to word a request and
// how to read an answer ([Protocol]), and [Channel] does the rest.
//
// The rest is the truth about what became of each message. A request that did
// not leave whole has handed nothing over: Deferred. One that left whole and was
// answered is what the answer says. One that left whole and was not answered is
// Unknown, and so is an answer of the kind that a broken provider gives after the
// work is done (500, 502, 504). A refusal of a whole request because of one
// message in it is no refusal of the others: the request is cut in half and asked
// again, which is safe because nothing of it was taken. Who we are is never the
// recipients' fault: an answer about our account, our key or our domain defers
// everything, suppresses nobody and raises an alarm.
//
// The client is net/http with one exchange at a time on a connection that stays
// open (HTTP/1.1): then "the whole request may have arrived" is a fact about one
// connection. Requests are never redirected, and go to TLS only, but for a server
// on this machine.
package provider
