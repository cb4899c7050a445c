// Package css writes the rules of a mail's style elements into the style
// attributes of what they match, because many mail programs read nothing else.
//
// The cascade is the one of browsers: origin in the attribute, !important,
// specificity, order. What an attribute cannot say stays in the style element:
// media queries, fonts, pseudo-classes of links under a finger, and rules that
// match nothing yet. What stays would lose against the attributes it used to win
// against, so it is marked !important exactly where that restores who won.
//
// The HTML is not written anew: only style attributes and the text of style
// elements change, so conditional comments, Liquid and odd but working markup
// survive byte for byte. Liquid may stand anywhere. A style element with a Liquid
// tag in it is left alone, because its rules depend on the reader; an output such
// as a brand's colour is carried along as a value.
package css
