story: Who stops on the way is found at once, and who buys is gone at once
start: 2011-11-14
journeys: none

Mon 10:00  ada  Product Viewed    brass-lamp/lighting@49.90
           ada  Product Viewed    desk-lamp/lighting@29.00
           ada  not in high-intent
           ada  Product Viewed    tall-lamp/lighting@89.00
           ada  in high-intent                               # with the third product, at once
           ada  not in abandoned-browse
+1h        ada  in abandoned-browse                          # by the clock alone
+10m       ada  Order Completed   tall-lamp/lighting@89.00  channel=till
           ada  not in high-intent                           # bought in town: gone at once
           ada  not in abandoned-browse

Tue 10:00  bob  Products Searched  query=lamp
+30m       bob  in abandoned-search
           bob  Product Viewed    brass-lamp/lighting@49.90
           bob  not in abandoned-search
           bob  Product Added     brass-lamp/lighting@49.90
           bob  in high-intent
           bob  not in abandoned-cart
+1h        bob  in abandoned-cart
           bob  not in abandoned-browse                      # he went on: it lies in the cart
           bob  Checkout Started  brass-lamp/lighting@49.90
           bob  not in abandoned-cart
+30m       bob  in abandoned-checkout
+1m        bob  Order Completed   brass-lamp/lighting@49.90
           bob  not in abandoned-checkout
           bob  not in high-intent

Wed 10:00  cyd  Message Clicked   actor=machine
           cyd  Message Clicked   actor=machine
           cyd  Message Clicked   actor=machine
           cyd  not in high-intent                           # a scanner is no person
           cyd  Message Clicked   actor=human
           cyd  not in high-intent
+1m        cyd  Message Clicked   actor=human
           cyd  in high-intent
+7d        cyd  not in high-intent                           # after a week of silence

Fri 10:00  dan  Product Added     mug/kitchen@4.50
+1h        dan  in abandoned-cart
+7d        dan  not in abandoned-cart                        # a week old: nobody waits for it any more
