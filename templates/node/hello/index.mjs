// What runs once per environment is at the top, what runs per event in the handler.
const greeting = process.env.GREETING ?? "Hello";
let count = 0;

export const handler = async (event) => {
  count += 1;
  const name = event.name ?? "world";
  console.log(`greeting ${name}`);
  return { message: `${greeting}, ${name}!`, count };
};
