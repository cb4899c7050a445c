// Package insight understands customers: which segments they are in.
//
// A segment is a condition with a name. [Compile] puts those of a program into an
// order in which each comes after the ones that it refers to, and indexes them by
// what they look at, so that an event re-evaluates only the few that it can
// concern ([Segments.Touched]). Every answer comes with the instant before which
// it stands; a profile stores it with the membership, and when the earliest one
// has come, [Segments.Due] asks again those whose time it is. So a customer
// leaves a segment at the instant the clock says, and nobody ever recomputes
// everybody.
//
// Conditions with a memory ("has been in the segment for three days") rest on
// hidden segments: their memberships are kept like the others and know since
// when.
package insight
