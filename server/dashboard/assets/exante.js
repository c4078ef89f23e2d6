// What the pages can do better with a script. Each works without it.
"use strict";
