# An inventory may be empty: plays can run on localhost.
