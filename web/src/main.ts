import { chosen } from "./i18n/i18n.js";
import "./app.js";

document.documentElement.lang = chosen.language;
