import lit from "eslint-plugin-lit";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules", "eslint.config.js"] },
  ...tseslint.configs.strictTypeChecked,
  lit.configs["flat/recommended"],
  {
    languageOptions: { parserOptions: { project: "./tsconfig.json" } },
    rules: {
      complexity: ["error", 10],
      "max-lines": ["error", 500],
      "max-lines-per-function": ["error", 60],
      // lit calls listeners with the element as `this`, and templates may hold any number
      "@typescript-eslint/unbound-method": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
    },
  },
  { files: ["test/**"], rules: { "max-lines-per-function": "off" } },
);
