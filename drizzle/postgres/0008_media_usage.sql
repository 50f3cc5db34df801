ALTER TABLE "usage" ADD COLUMN "audio_ms" bigint;--> statement-breakpoint
ALTER TABLE "usage" ADD COLUMN "images" bigint;--> statement-breakpoint
ALTER TABLE "usage" ADD COLUMN "search_units" bigint;--> statement-breakpoint
ALTER TABLE "usage" ADD COLUMN "input_bytes" bigint;--> statement-breakpoint
ALTER TABLE "usage" ADD COLUMN "output_bytes" bigint;