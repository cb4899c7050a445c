story: Within ten minutes a campaign is taken back whole; paused, it waits; stopped, nothing more leaves
start: 2011-12-01
journeys: winter-lights

Thu 10:00  ada  Consent Given    email
           ada  Order Completed  lamp/lighting@49.90
           bob  Consent Given    email
           bob  Order Completed  lamp/lighting@49.90
           bob  identify         timezone=America/New_York
Thu 10:01  *    campaign send winter-lights
Thu 10:10  *    campaign stop winter-lights             # the subject was wrong
+1h        *    -> nothing
Thu 11:30  *    campaign send winter-lights
Thu 11:35  *    campaign pause winter-lights
Thu 12:00  *    -> nothing                               # the undo window has passed
Thu 12:10  *    campaign resume winter-lights
           ada  -> mail winter-lights
Thu 13:00  *    campaign stop winter-lights
+2d        bob  -> nothing                               # nine in New York came later
