// Package intake hears what happens: it is the tracking API, the one place at
// which strangers' JSON becomes events.
//
// It speaks Segment's protocol as the unmodified SDKs of Segment, RudderStack
// and Jitsu do. A body goes through four steps:
//
//	read      the body, unzipped, within limits                      body.go
//	skim      where each message begins and ends, how deep it nests  skim.go
//	decode    a message → an [event.Event], or a [Reject] that says why  decode.go, message.go, object.go
//	append    events addressed to the home of who they are about        server.go
//
// What it promises:
//
//   - 200 means durable: [Options.Append] has returned without error.
//   - A message that fails a check is never lost in silence: the answer names it
//     and it is quarantined with its reason. It does not take its good
//     neighbours down with it.
//   - Whatever is sent, memory and time are bounded by constants in limits.go,
//     and an event that is stored is well formed: valid UTF-8 without NUL,
//     numbers that are JSON numbers within a float's range, no key twice.
//   - The same message sent twice is accepted twice. Only the profile knows what
//     it has heard, so it drops the second; the edge keeps no memory.
//
// JSON is parsed once, here, by fastjson; everything behind the edge reads
// [event.Object]. fastjson takes more than JSON (NaN, 1-2, lone surrogates as
// their escapes) and spends up to 80 bytes on a value of two, so skim bounds
// what it sees and object.go checks what it gives.
package intake
