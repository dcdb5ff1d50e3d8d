import { z } from 'zod';

/** One setting: its form, its default and what it does. */
export interface Setting<T extends z.ZodType> {
  schema: T;
  /** In the form in which it would stand in the environment. */
  default: string;
  description: string;
}

export const setting = <T extends z.ZodType>(schema: T, fallback: string, description: string): Setting<T> => ({
  schema,
  default: fallback,
  description,
});

export const boolean = z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off'] });

export const hasCredentials = (text: string) => {
  const { username, password } = URL.canParse(text) ? new URL(text) : { username: '', password: '' };
  return username !== '' || password !== '';
};

export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'give an address such as https://id.example/jwks.json' })
  .refine((text) => !hasCredentials(text), 'leave user and password out of the address');
