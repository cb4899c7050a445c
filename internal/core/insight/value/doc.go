// Package value says what a customer will be worth: whether they will come back,
// how often, when next, and how much they will spend.
//
// Nobody sees a customer leave a shop; one only sees that no order came. The
// models here say how likely it is that somebody left, from when they ordered:
// every customer orders at random at a rate of their own and leaves at random at
// a rate of their own, and both rates differ between customers. [BGNBD] and
// [MBGNBD] let customers leave right after an order, [Pareto] at any time;
// [BGBB] is for occasions that come at fixed times, such as an appeal a year.
// [GammaGamma] says how much an order of a customer brings. [FitOrders] fits
// them by maximum likelihood, and who has several takes the likeliest.
//
// The definitions are those of the literature: Fader, Hardie and Lee 2005 (BG/NBD,
// and Pareto/NBD after Schmittlein, Morrison and Colombo 1987), Batislam, Denizel
// and Filiztekin 2007 (MBG/NBD), Fader, Hardie and Shang 2010 (BG/BB), Fader and
// Hardie 2013 (gamma-gamma). Time is in weeks. Everything is computed on
// logarithms, so that a customer with hundreds of orders gives a finite answer.
package value
