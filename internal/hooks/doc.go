// Package hooks is the door at which providers tell what became of messages: by
// a POST to /hooks/{provider}/{source}.
//
// Whoever can reach the door can write to it, so nothing in a body is believed
// before the provider's signature over its bytes was checked. What is forged is
// counted and does nothing. The answer is 200 only once everything that the body
// means is durable; until then the provider is asked to come again, and what it
// tells twice counts once.
//
// A [Book] keeps which sources there are and the secret of each. Doors for other
// strangers, such as a shop system, stand beside this one: a more specific
// pattern ("POST /hooks/shopify/{source}") at the same mux is all it takes.
package hooks
