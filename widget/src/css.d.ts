/** A stylesheet that the bundler hands over as text, for use inside the component's shadow root. */
declare module "*.css" {
  const text: string;
  export default text;
}

declare module "deep-chat/dist/deepChat.bundle.js";
